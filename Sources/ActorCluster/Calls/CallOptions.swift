package import WireProtocol

/// What travels along with calls: set by `ClusterActorSystem.withTimeLimit` and `withTrace`, seen by everything that is
/// called inside, on whichever node.
package struct CallOptions: Sendable {
    /// When the caller stops waiting, on the system's own timeline; nil for the configured limit. On the wire it is the
    /// time that remains, because no two nodes' clocks agree.
    var deadline: Duration?
    /// Where the call belongs in a distributed trace.
    package internal(set) var trace: TraceContext?

    @TaskLocal package static var current = CallOptions()
}
