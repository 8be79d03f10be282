import Glibc

/// The few system calls this module makes, with errno turned into `BlobError`.
///
/// They are made here and not through Foundation because durability needs `fsync` of files and directories, and safety
/// needs `O_EXCL`, `O_NOFOLLOW` and `flock`.
enum Disk {
    /// Size and age of what stands at a path.
    struct Entry: Sendable {
        let bytes: Int64
        let isDirectory: Bool
        let modifiedSecondsSinceEpoch: Int64
        /// How many names the file has.
        let names: Int
    }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o640) throws(BlobError) -> Int32 {
        while true {
            // The string lives for the length of the call, which is all that `open` asks.
            let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw failure(errno, "open") }
        }
    }

    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(BlobError) {
        var done = 0
        while done < bytes.count {
            // `done` is inside the buffer and the length ends where the buffer ends.
            let count = unsafe Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count >= 0 { done += count } else if errno != EINTR { throw failure(errno, "write") }
        }
    }

    static func write(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int64) throws(BlobError) {
        var code: Int32 = 0
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                // `done` is inside the buffer and the length ends where the buffer ends; nothing of it is kept.
                let count = unsafe pwrite(
                    descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + done)
                if count >= 0 { done += count } else if errno != EINTR { return code = errno }
            }
        }
        if code != 0 { throw failure(code, "write") }
    }

    static func write(_ descriptor: Int32, _ bytes: [UInt8]) throws(BlobError) {
        var outcome: Result<Void, BlobError> = .success(())
        unsafe bytes.withUnsafeBytes { buffer in
            // The buffer is valid inside this closure and nothing of it is kept.
            outcome = Result { () throws(BlobError) in try unsafe write(descriptor, buffer) }
        }
        try outcome.get()
    }

    /// Up to `limit` bytes from `offset`; empty at the end of the file.
    static func read(_ descriptor: Int32, at offset: Int64, limit: Int) throws(BlobError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while true {
                // The kernel writes at most `limit` bytes, the capacity asked for above; `count` is what it wrote.
                let got = unsafe pread(descriptor, buffer.baseAddress, limit, off_t(offset))
                if got >= 0 { return count = got }
                if errno != EINTR { return code = errno }
            }
        }
        if code != 0 { throw failure(code, "read") }
        return bytes
    }

    /// Up to `limit` bytes from `offset` into the beginning of `block`; 0 at the end of the file.
    static func read(
        _ descriptor: Int32, at offset: Int64, into block: inout [UInt8], limit: Int
    ) throws(BlobError) -> Int {
        let limit = min(limit, block.count)
        while true {
            // The kernel writes at most `limit` bytes, which the block has.
            let got = unsafe block.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, limit, off_t(offset))
            }
            if got >= 0 { return got }
            if errno != EINTR { throw failure(errno, "read") }
        }
    }

    static func sync(_ descriptor: Int32) throws(BlobError) {
        while fsync(descriptor) != 0 { if errno != EINTR { throw failure(errno, "fsync") } }
    }

    static func truncate(_ descriptor: Int32, to bytes: Int64) throws(BlobError) {
        while ftruncate(descriptor, off_t(bytes)) != 0 { if errno != EINTR { throw failure(errno, "ftruncate") } }
    }

    /// Makes the names inside a directory durable.
    static func syncDirectory(_ path: String) throws(BlobError) {
        let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        try sync(descriptor)
    }

    static func rename(_ from: String, to: String) throws(BlobError) {
        // Both strings live for the length of the call.
        if unsafe Glibc.rename(from, to) != 0 { throw failure(errno, "rename") }
    }

    /// A second name for a file. Throws `.exists` when something has that name.
    static func link(_ from: String, to: String) throws(BlobError) {
        // Both strings live for the length of the call.
        if unsafe Glibc.link(from, to) != 0 { throw failure(errno, "link") }
    }

    /// Sets the time of the last change to now.
    static func touch(_ path: String) throws(BlobError) {
        // The string lives for the length of the call; no times means now.
        if unsafe utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW) != 0 { throw failure(errno, "utimensat") }
    }

    /// True when something was removed, false when nothing stood there.
    @discardableResult
    static func unlink(_ path: String) throws(BlobError) -> Bool {
        // The string lives for the length of the call.
        if unsafe Glibc.unlink(path) == 0 { return true }
        if errno == ENOENT || errno == ENOTDIR { return false }
        throw failure(errno, "unlink")
    }

    /// True when the directory was empty and is gone.
    static func removeEmptyDirectory(_ path: String) -> Bool {
        // The string lives for the length of the call.
        unsafe rmdir(path) == 0
    }

    /// Makes a directory and what is missing above it, durably.
    static func makeDirectories(_ path: String) throws(BlobError) {
        guard try entry(path)?.isDirectory != true else { return }
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            return try makeDirectory(path)
        }
        let parent = String(path[..<slash])
        try makeDirectories(parent)
        try makeDirectory(path)
        try syncDirectory(parent)
    }

    /// Makes one directory. It need not survive a crash of the machine.
    static func makeDirectory(_ path: String) throws(BlobError) {
        // The string lives for the length of the call. Somebody else may have made it meanwhile.
        if unsafe mkdir(path, 0o750) != 0, errno != EEXIST { throw failure(errno, "mkdir") }
    }

    /// Lets the group in: `mkdir` and `mkdtemp` leave it out, by the process's mask or always.
    static func openToGroup(_ path: String, mayWrite: Bool) throws(BlobError) {
        // The string lives for the length of the call.
        if unsafe chmod(path, mayWrite ? 0o770 : 0o750) != 0 { throw failure(errno, "chmod") }
    }

    /// Makes a file the own one of this process, which the group may read, whoever wrote it.
    static func own(_ path: String) throws(BlobError) {
        let descriptor = try open(path, O_RDONLY | O_NOFOLLOW)
        defer { close(descriptor) }
        if fchown(descriptor, geteuid(), getegid()) != 0 { throw failure(errno, "fchown") }
        if fchmod(descriptor, 0o640) != 0 { throw failure(errno, "fchmod") }
    }

    /// A new directory with a name nobody else has; `pattern` ends in `XXXXXX`.
    static func makeUniqueDirectory(_ pattern: String) throws(BlobError) -> String {
        var characters = pattern.utf8CString.map { $0 }
        var code: Int32 = 0
        unsafe characters.withUnsafeMutableBufferPointer { buffer in
            // The buffer ends in the zero of `utf8CString`; mkdtemp changes the six letters before it in place.
            if unsafe mkdtemp(buffer.baseAddress!) == nil { code = errno }
        }
        if code != 0 { throw failure(code, "mkdtemp") }
        return String(decoding: characters.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func entry(_ path: String) throws(BlobError) -> Entry? {
        var status = stat()
        // `status` is ours and outlives the call; so does the string.
        if unsafe lstat(path, &status) != 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure(errno, "stat")
        }
        return Entry(
            bytes: Int64(status.st_size), isDirectory: status.st_mode & S_IFMT == S_IFDIR,
            modifiedSecondsSinceEpoch: Int64(status.st_mtim.tv_sec), names: Int(status.st_nlink))
    }

    /// Names inside a directory, sorted; nothing when it does not exist.
    static func names(in path: String) throws(BlobError) -> [String] {
        // The string lives for the length of the call.
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failure(errno, "opendir")
        }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        // The handle is open until the end of this scope, and each entry is copied before the next is read.
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                // `d_name` ends in a zero inside its 256 bytes.
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a directory with everything in it. Links are removed, never followed.
    static func removeTree(_ path: String) throws(BlobError) {
        guard let entry = try entry(path) else { return }
        guard entry.isDirectory else { return _ = try unlink(path) }
        for name in try names(in: path) { try removeTree(path + "/" + name) }
        // The string lives for the length of the call.
        if unsafe rmdir(path) != 0, errno != ENOENT { throw failure(errno, "rmdir") }
    }

    /// Bytes that an ordinary user may still write on the file system of `path`.
    static func freeBytes(at path: String) throws(BlobError) -> Int64 {
        let directory = try open(path, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        var status = statvfs()
        // `status` is ours and outlives the call.
        if unsafe fstatvfs(directory, &status) != 0 { throw failure(errno, "statvfs") }
        return Int64(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).0)
    }

    /// Takes the lock of an open file if nobody holds it; it is given back when the descriptor is closed, also by
    /// death.
    static func tryLock(_ descriptor: Int32) -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// As `tryLock`, but waits.
    static func lock(_ descriptor: Int32) throws(BlobError) {
        while flock(descriptor, LOCK_EX) != 0 { if errno != EINTR { throw failure(errno, "flock") } }
    }

    private static func failure(_ code: Int32, _ call: String) -> BlobError {
        // The text of an error number is a constant of the C library.
        let text = unsafe String(cString: strerror(code))
        return switch code {
        case ENOSPC, EDQUOT, EFBIG: BlobError(.full, "\(call): \(text)")
        case ENOENT, ENOTDIR: BlobError(.missing, "\(call): \(text)")
        case EEXIST: BlobError(.exists, "\(call): \(text)")
        case EACCES, EPERM, EROFS: BlobError(.denied, "\(call): \(text)")
        default: BlobError(.broken, "\(call): \(text) (errno \(code))")
        }
    }
}
