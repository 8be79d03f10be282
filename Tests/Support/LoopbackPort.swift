import Glibc

/// A port of the loopback that is the caller's for as long as it is held.
///
/// Nobody listens at it. The kernel gives it to nobody who asks for any port, and a server that is told its number can
/// have it all the same, since servers set `SO_REUSEADDR` and so does this: a port that is let go of before the server
/// takes it may be somebody else's by then.
package final class LoopbackPort: Sendable {
    package let number: Int
    private let descriptor: Int32

    /// - Parameter number: 0: any that is free. Throws when it is somebody else's.
    package init(_ number: Int = 0) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var reuses: Int32 = 1
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(number).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Sound: the pointers are to locals that outlive the calls.
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard
                    unsafe setsockopt(
                        descriptor, SOL_SOCKET, SO_REUSEADDR, &reuses, socklen_t(MemoryLayout<Int32>.size)) == 0,
                    unsafe bind(descriptor, generic, length) == 0
                else { return Int32(-1) }
                return unsafe getsockname(descriptor, generic, &length)
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw Child.Trouble(description: "the kernel does not give port \(number) of the loopback")
        }
        self.descriptor = descriptor
        self.number = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    /// Holds one while `body` runs.
    package static func held<Answer>(
        _ body: (Int) async throws -> Answer
    ) async throws -> Answer {
        let port = try LoopbackPort()
        defer { withExtendedLifetime(port) {} }
        return try await body(port.number)
    }
}
