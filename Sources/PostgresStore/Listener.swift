import Glibc
import Logging
import Store

/// Listens on a connection of its own and hands on what is announced, through as many reconnects as it takes.
struct Listener: Sendable {
    /// A quiet connection is asked whether it still lives, this often.
    private static let quietMillisecondsMax: Int32 = 30_000
    private static let listen = "listen \(Announcement.channel)"
    private static let alive = Statement("alive", "select 1")

    let database: Database
    let fan: SignalFan
    let logger: Logger

    /// Returns when the task is cancelled.
    func run() async {
        // Cancellation cannot interrupt a blocking wait: the bell does.
        let bell = Bell()
        await withTaskCancellationHandler {
            let lane = Lane(database.configuration, name: "postgres-listen")
            var backOff = database.backOff()
            while !Task.isCancelled {
                do {
                    try await listen(on: lane, bell) { backOff.reset() }
                } catch {
                    logger.warning("listening broke off", metadata: ["reason": "\(error)"])
                    await lane.close()
                    // Throws only when the task is cancelled, which ends the loop.
                    try? await database.pause(&backOff)
                }
            }
            await lane.close()
        } onCancel: {
            bell.ring()
        }
    }

    private func listen(on lane: Lane, _ bell: Bell, connected: () -> Void) async throws {
        try await lane.use { try $0.execute(Self.listen) }
        connected()
        fan.send([.resynchronise])
        while !Task.isCancelled {
            let payloads = try await lane.use { connection in
                let payloads = try connection.notifications(
                    waitingMilliseconds: Self.quietMillisecondsMax, orBell: bell.descriptor)
                if payloads.isEmpty { _ = try connection.query(Self.alive.with()) }
                return payloads
            }
            fan.send(payloads.flatMap(Announcement.signals(in:)))
        }
    }
}

/// Wakes a thread that waits in `poll`: a pair of sockets. Once rung, it stays rung.
final class Bell: Sendable {
    /// What to watch.
    let descriptor: Int32
    private let rope: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        // Sound: the array has the two places that the call fills.
        guard unsafe socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else {
            preconditionFailure("no file descriptor is left: errno \(errno)")
        }
        (descriptor, rope) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(rope)
    }

    func ring() {
        // Sound: one byte is read from a value that outlives the call. Fails only when the buffer is full, and then the
        // bell rings already.
        unsafe withUnsafeBytes(of: UInt8(1)) { byte in _ = unsafe write(rope, byte.baseAddress, 1) }
    }
}
