import Glibc

/// Where the credentials of a node stand.
package struct CredentialFiles: Hashable, Sendable {
    /// PEM: the node's certificate, then intermediate ones if there are any.
    package var certificate: String
    /// PEM, without a passphrase: whoever can read the file is the node.
    package var key: String
    /// PEM: one CA, or several while one is being replaced.
    package var authorities: String
    /// A deny list (the format is described with `DenyList`), or none.
    package var denied: String?

    package init(certificate: String, key: String, authorities: String, denied: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authorities = authorities
        self.denied = denied
    }

    var paths: [String] { [certificate, key, authorities] + (denied.map { [$0] } ?? []) }

    /// Changes when a file is written, replaced or goes missing. The inode is part of it, so that a file that was
    /// renamed into place with an older date is seen.
    func stamps() -> [FileStamp?] { paths.map(FileStamp.init) }
}

/// Tells one state of a file from another without reading it.
struct FileStamp: Hashable, Sendable {
    let inode: UInt64
    let bytes: Int64
    let seconds: Int
    let nanoseconds: Int
    let mode: UInt32

    init?(_ path: String) {
        var facts = stat()
        // The string lives for the length of the call, and `facts` is ours.
        guard unsafe stat(path, &facts) == 0 else { return nil }
        inode = UInt64(facts.st_ino)
        bytes = Int64(facts.st_size)
        seconds = facts.st_mtim.tv_sec
        nanoseconds = facts.st_mtim.tv_nsec
        mode = facts.st_mode
    }

    var isOpenToOthers: Bool { mode & 0o077 != 0 }
}

enum CredentialFile {
    /// The bytes of a small file.
    static func read(_ path: String, bytesMax: Int) throws(TLSTransportError) -> [UInt8] {
        // The string lives for the length of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened (errno \(errno))") }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count <= bytesMax {
            var code: Int32 = 0
            let block = unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                // The kernel writes at most the capacity asked for above; `count` is what it wrote.
                let got = unsafe Glibc.read(descriptor, buffer.baseAddress, 64 << 10)
                if got >= 0 { count = got } else { code = errno }
            }
            if code == EINTR { continue }
            guard code == 0 else { throw failure(path, "cannot be read (errno \(code))") }
            if block.isEmpty { return bytes }
            bytes += block
        }
        throw failure(path, "is larger than \(bytesMax) bytes")
    }

    private static func failure(_ path: String, _ what: String) -> TLSTransportError {
        TLSTransportError(.credentialsUnusable, "\(path) \(what)")
    }
}
