// SPDX-License-Identifier: MIT
import ClusterTableSupport
import Hashed
import MMU

typealias Rig = ClusterRig<HashedService, HashedWalker>
