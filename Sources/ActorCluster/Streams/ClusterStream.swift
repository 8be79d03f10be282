package import WireProtocol

/// Bytes both ways between two nodes, in order, with credit: who does not read stops the other's writing, and nothing
/// else.
///
/// It lives inside `withStream` or a handler, and is released when that returns.
package final class ClusterStream: Sendable {
    private let id: UInt32
    private let lane: BulkLane

    init(_ id: UInt32, _ lane: BulkLane) {
        self.id = id
        self.lane = lane
    }

    /// Returns when all of it is queued; waits while the peer does not read. Throws `StreamReset` when the peer reads
    /// no more or the connection is lost.
    package func write(_ bytes: ArraySlice<UInt8>) async throws { try await lane.write(bytes, to: id) }

    package func write(_ bytes: [UInt8]) async throws { try await lane.write(bytes[...], to: id) }

    /// Nothing more will be written: the peer reads to the end of what was.
    package func finish() { lane.finish(id) }

    /// What has arrived, at least one byte; nil at the end. One reader at a time. Throws `StreamReset` when the peer
    /// broke off or the connection is lost.
    package func read() async throws -> ArraySlice<UInt8>? { try await lane.read(id) }

    /// Breaks both directions off and tells the peer why.
    package func reset(_ reset: StreamReset) { lane.reset(id, reset) }

    func release() { lane.release(id) }
}

/// What a stream is for: the name of a handler, and an argument for it.
///
/// On the wire: the name, a zero, the argument.
struct StreamPurpose: Hashable, Sendable {
    let name: String
    let argument: [UInt8]

    /// Bytes of an argument; 4,032, which with a name fit into what an opening may carry.
    static let argumentBytesMax = StreamTable<Never>.purposeBytesMax - ClusterActorID.nameBytesMax - 1

    init(_ name: String, _ argument: [UInt8]) {
        precondition(ClusterActorID.isName(name), "\(name) is not the name of a purpose")
        precondition(argument.count <= Self.argumentBytesMax, "an argument of \(argument.count) bytes")
        self.name = name
        self.argument = argument
    }

    /// Nil for what no node of ours would write.
    init?(parsing bytes: ArraySlice<UInt8>) {
        guard let zero = bytes.firstIndex(of: 0), let name = String(validating: bytes[..<zero], as: UTF8.self),
            ClusterActorID.isName(name)
        else { return nil }
        self.name = name
        argument = Array(bytes[(zero + 1)...])
    }

    var bytes: [UInt8] { Array(name.utf8) + [0] + argument }
}
