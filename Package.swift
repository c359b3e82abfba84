// swift-tools-version: 6.2
import PackageDescription

/// Settings that every target shares. A warning is an error everywhere: the house has no "known" warnings.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// One library target. `folder` is its place under `Sources` when that differs from its name.
func module(
  _ name: String, in folder: String? = nil, imports: [String], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: imports.map { .byName(name: $0) }, path: "Sources/\(folder ?? name)",
    resources: resources, swiftSettings: settings)
}

/// One test target; it mirrors the source target of the same name.
func tests(_ name: String, imports: [String], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: imports.map { .byName(name: $0) },
    path: "Tests/\(name)Tests", resources: resources, swiftSettings: settings)
}

/// What a driver is built from; a driver never sees the memory manager or another driver.
let driverImports = ["EMTCore", "EntryFormats", "SimMemory", "X86Object", "Mutations"]

let modules: [Target] = [
  module("Mutations", imports: []),
  module("SimMemory", imports: ["Mutations"]),
  module("EntryFormats", imports: ["SimMemory"]),
  module("Events", imports: ["SimMemory"]),
  module("EMTCore", imports: ["SimMemory", "Mutations"]),
  module(
    "X86Object", in: "Drivers/X86Object", imports: ["EMTCore", "EntryFormats", "SimMemory", "Mutations"]),
  module("Radix", in: "Drivers/Radix", imports: driverImports),
  module("FPT", in: "Drivers/FPT", imports: ["Radix", "EntryFormats"]),
  module("ClusterTable", in: "Drivers/ClusterTable", imports: driverImports),
  module("Hashed", in: "Drivers/Hashed", imports: ["ClusterTable"] + driverImports),
  module("ECPT", in: "Drivers/ECPT", imports: ["ClusterTable"] + driverImports),
  module("VMM", imports: ["EMTCore", "SimMemory", "Mutations"]),
  module("MMU", imports: ["EntryFormats", "SimMemory", "Mutations"]),
  module("Machine", imports: ["VMM", "MMU", "EMTCore", "SimMemory", "Events"]),
  module(
    "Catalog", in: "Drivers/Catalog",
    imports: ["Radix", "Hashed", "ECPT", "MMU", "EMTCore", "EntryFormats", "SimMemory"]),
  module("Workloads", imports: ["Events", "SimMemory"]),
  module("Reference", imports: ["EMTCore", "SimMemory"]),
  module("Scenarios", imports: ["Machine", "VMM", "MMU", "EMTCore", "SimMemory"]),
  module(
    "Conformance",
    imports: ["Scenarios", "Machine", "Reference", "CHost", "VMM", "MMU", "EMTCore", "SimMemory"]),
  module("Profiling", imports: ["EMTCore", "SimMemory"]),
  module(
    "EMTCommands",
    imports: [
      "Catalog", "Machine", "VMM", "MMU", "EMTCore", "EntryFormats", "SimMemory", "Events",
      "Workloads", "Reference", "Conformance", "Scenarios", "Profiling", "Mutations",
    ], resources: [.copy("Sample")]),
]

/// What Swift cannot call: processes of their own on the host's kernel. No product.
let host: [Target] = [
  .target(
    name: "CHost", path: "Sources/CHost",
    cSettings: [
      .treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra"),
      // As Swift's own: valgrind before 3.20 refuses programs with DWARF 5, which clang writes for C.
      .unsafeFlags(["-gdwarf-4"]),
    ])
]

/// What test suites of several drivers share; no product.
let testSupport: [Target] = [
  .target(name: "DriverSupport", path: "Tests/DriverSupport", swiftSettings: settings),
  .target(
    name: "RadixSupport", dependencies: (["Radix", "MMU"] + driverImports).map { .byName(name: $0) },
    path: "Tests/RadixSupport", swiftSettings: settings),
  .target(
    name: "ClusterTableSupport",
    dependencies: (["ClusterTable", "DriverSupport", "MMU"] + driverImports).map { .byName(name: $0) },
    path: "Tests/ClusterTableSupport", swiftSettings: settings),
]

let testSuites: [Target] = [
  tests("Mutations", imports: ["Mutations"]),
  tests("SimMemory", imports: ["SimMemory"]),
  tests("EMTCore", imports: ["EMTCore", "Reference", "SimMemory"]),
  tests("X86Object", imports: ["X86Object", "Reference", "EMTCore", "EntryFormats", "SimMemory"]),
  tests("Reference", imports: ["Reference", "EMTCore", "SimMemory"]),
  tests(
    "Conformance",
    imports: [
      "Conformance", "Reference", "Radix", "FPT", "Hashed", "ECPT", "MMU", "X86Object", "EMTCore",
      "EntryFormats", "SimMemory",
      "Machine", "VMM", "Workloads", "Events",
    ]),
  tests(
    "Scenarios",
    imports: [
      "Scenarios", "Radix", "FPT", "Hashed", "ECPT", "Machine", "MMU", "VMM", "EMTCore", "SimMemory",
    ],
    resources: [.copy("Fixtures")]),
  tests("MMU", imports: ["MMU", "EntryFormats", "SimMemory"]),
  tests(
    "Radix",
    imports: [
      "Radix", "DriverSupport", "RadixSupport", "MMU", "X86Object", "EMTCore", "EntryFormats", "SimMemory",
    ]),
  tests(
    "Radix5",
    imports: ["Radix", "Conformance", "MMU", "X86Object", "EMTCore", "EntryFormats", "SimMemory"]),
  tests(
    "FPT",
    imports: [
      "FPT", "Radix", "DriverSupport", "RadixSupport", "Conformance", "MMU", "X86Object", "EMTCore",
      "EntryFormats",
      "SimMemory",
    ]),
  tests(
    "Hashed",
    imports: ["Hashed", "ClusterTableSupport", "ClusterTable"] + driverImports + ["MMU"]),
  tests(
    "ECPT",
    imports: ["ECPT", "ClusterTableSupport", "ClusterTable"] + driverImports + ["MMU"]),
  tests("Workloads", imports: ["Workloads", "Events", "SimMemory"], resources: [.copy("Fixtures")]),
  tests("Profiling", imports: ["Profiling", "EMTCore"]),
  tests("Layering", imports: []),
  tests(
    "Replay",
    imports: [
      "EMTCommands", "Conformance", "EMTCore", "EntryFormats", "MMU", "Machine", "Radix", "Reference",
      "SimMemory", "Workloads", "VMM", "Catalog",
    ], resources: [.copy("Fixtures")]),
  tests("EMTCommands", imports: ["emt"]),
  tests(
    "VMM",
    imports: ["VMM", "Radix", "FPT", "Hashed", "ECPT", "EntryFormats", "EMTCore", "SimMemory"]),
  tests(
    "Machine",
    imports: ["Machine", "VMM", "Catalog", "Radix", "Hashed", "MMU", "EMTCore", "Events", "SimMemory"]),
]

let package = Package(
  name: "emt",
  products: modules.map { .library(name: $0.name, targets: [$0.name]) }
    + [.executable(name: "emt", targets: ["emt"])],
  traits: [
    .trait(
      name: "Mutations",
      description:
        "Compiles planted bugs in, of which a run chooses one (Docs/Mutations.md): for testing the tests.")
  ],
  targets: modules + host + [
    .executableTarget(
      name: "emt", dependencies: ["EMTCommands"], path: "Sources/emt", swiftSettings: settings)
  ] + testSupport + testSuites,
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
