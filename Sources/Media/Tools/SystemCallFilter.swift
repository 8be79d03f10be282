import Glibc

/// Refuses system calls that no decoder needs and many a break-out does, as a program of the kernel's packet filter.
///
/// Sources: seccomp(2) for the form, the default profile of Docker (moby) for what is refused. Everything else is let
/// through: a list of what is allowed would have to be mended with every release of libc.
///
/// It lies in a file without a name that only this process has open; who starts a tool opens it through `/proc`. So it
/// cannot be changed by others, and ends with the process.
final class SystemCallFilter: Sendable, Hashable {
    private let descriptor: Int32
    let path: String

    /// Nil on processors whose numbers are not known here, and where no temporary file can be made.
    init?() {
        guard let program = Self.program(), let descriptor = Self.file(holding: program) else { return nil }
        self.descriptor = descriptor
        path = "/proc/\(getpid())/fd/\(descriptor)"
    }

    deinit { close(descriptor) }

    static func == (left: SystemCallFilter, right: SystemCallFilter) -> Bool { left === right }
    func hash(into hasher: inout Hasher) { hasher.combine(descriptor) }

    private static func file(holding bytes: [UInt8]) -> Int32? {
        for folder in ["/dev/shm", "/tmp", "/var/tmp"] {
            var name = Array("\(folder)/tijera-filter-XXXXXX".utf8CString)
            // Sound: the name ends in a zero and is changed in place; both calls end before it does.
            let descriptor = unsafe name.withUnsafeMutableBufferPointer { name in
                let descriptor = unsafe mkstemp(name.baseAddress!)
                if descriptor >= 0 { unsafe _ = unlink(name.baseAddress!) }
                return descriptor
            }
            guard descriptor >= 0 else { continue }
            // Sound: reads as many bytes as there are.
            let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if written == bytes.count, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 { return descriptor }
            close(descriptor)
        }
        return nil
    }

    // MARK: The program

    // linux/bpf_common.h, linux/seccomp.h, linux/audit.h
    private static let loadWord: UInt16 = 0x20
    private static let jumpIfEqual: UInt16 = 0x15
    private static let jumpIfNotLess: UInt16 = 0x35
    private static let jumpIfAnyBit: UInt16 = 0x45
    private static let answer: UInt16 = 0x06
    private static let allow: UInt32 = 0x7FFF_0000
    private static let kill: UInt32 = 0x8000_0000
    private static let refuse: UInt32 = 0x0005_0000 | UInt32(EPERM)
    private static let unknown: UInt32 = 0x0005_0000 | UInt32(ENOSYS)
    /// Offsets in `struct seccomp_data`.
    private static let (number, architecture): (UInt32, UInt32) = (0, 4)
    /// The low halves of arguments, as both kinds of processors below store them.
    private static let (firstArgument, secondArgument): (UInt32, UInt32) = (16, 24)
    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
    private static let namespaces: UInt32 = 0x7E02_0000

    /// Of one kind of processor: its name for the kernel, its numbers.
    private struct Table {
        let architecture: UInt32
        let clone: UInt32
        let ioctl: UInt32
        let refused: [UInt32]
    }

    #if arch(x86_64)
        private static let table: Table? = Table(
            architecture: 0xC000_003E, clone: 56, ioctl: 16,
            refused: [
                41, 42, 43, 49, 50, 53, 101, 133, 154, 155, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173,
                175, 176, 179, 246, 248, 249, 250, 259, 272, 278, 288, 298, 303, 304, 308, 310, 311, 312, 313, 320, 321,
                323,
            ])
    #elseif arch(arm64)
        private static let table: Table? = Table(
            architecture: 0xC000_00B7, clone: 220, ioctl: 29,
            refused: [
                33, 39, 40, 41, 51, 60, 75, 89, 97, 104, 105, 106, 117, 142, 161, 162, 170, 198, 199, 200, 201, 202,
                203, 217, 218, 219, 224, 225, 241, 242, 264, 265, 268, 270, 271, 272, 273, 280, 282, 294,
            ])
    #else
        private static let table: Table? = nil
    #endif

    /// The same numbers everywhere: io_uring, the new mount calls, pidfd_getfd, process_madvise, quotactl_fd.
    private static let refusedEverywhere: [UInt32] = [
        425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443,
    ]
    /// libc asks for it first; its arguments lie in memory where no filter looks, so it is told to take `clone`.
    private static let clone3: UInt32 = 435
    /// TIOCSTI and TIOCLINUX: they type into the terminal from which somebody may have started the node.
    private static let typing: [UInt32] = [0x5412, 0x541C]
    /// Calls of x86-64 with 32-bit pointers have numbers from here on.
    private static let otherNumbers: UInt32 = 0x4000_0000

    static func program() -> [UInt8]? {
        guard let table else { return nil }
        var program: [UInt8] = []
        func add(_ code: UInt16, _ value: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0) {
            unsafe withUnsafeBytes(of: code) { unsafe program.append(contentsOf: $0) }
            program += [ifTrue, ifFalse]
            unsafe withUnsafeBytes(of: value) { unsafe program.append(contentsOf: $0) }
        }
        add(loadWord, architecture)
        add(jumpIfEqual, table.architecture, ifTrue: 1)
        add(answer, kill)
        add(loadWord, number)
        add(jumpIfNotLess, otherNumbers, ifFalse: 1)
        add(answer, kill)
        add(jumpIfEqual, clone3, ifFalse: 1)
        add(answer, unknown)
        for call in table.refused + refusedEverywhere {
            add(jumpIfEqual, call, ifFalse: 1)
            add(answer, refuse)
        }
        add(jumpIfEqual, table.ioctl, ifFalse: 5)
        add(loadWord, secondArgument)
        add(jumpIfEqual, typing[0], ifTrue: 1)
        add(jumpIfEqual, typing[1], ifFalse: 1)
        add(answer, refuse)
        add(answer, allow)
        add(jumpIfEqual, table.clone, ifFalse: 3)
        add(loadWord, firstArgument)
        add(jumpIfAnyBit, namespaces, ifFalse: 1)
        add(answer, refuse)
        add(answer, allow)
        return program
    }
}
