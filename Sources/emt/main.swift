// SPDX-License-Identifier: MIT
internal import EMTCommands

EMT.main()
