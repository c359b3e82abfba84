// SPDX-License-Identifier: MIT
import ClusterTableSupport
import ECPT
import MMU

typealias Rig = ClusterRig<ECPTService, ECPTWalker>
