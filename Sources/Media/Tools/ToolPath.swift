import Foundation

/// Finds programs before they are started.
///
/// The real program stands behind `setpriv` and `prlimit`, which would report a missing one by exit code 127 only; and
/// a path that is fixed here cannot be bent by the environment the node was started in.
struct ToolPath: Sendable, Hashable {
    /// Where programs are looked for, and PATH for the children.
    static let search = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// The absolute path of `name`, which is either a path already or looked up in `search`.
    static func resolve(_ name: String, package: String) throws(MediaError) -> String {
        let candidates = name.contains("/") ? [name] : search.map { $0 + "/" + name }
        for candidate in candidates where isProgram(candidate) { return candidate }
        throw MediaError(.toolMissing, "\(name) is not installed here; on Debian: apt-get install \(package)")
    }

    private static func isProgram(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        // Sound: the pointer is to a local that outlives the call.
        let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        return exists && !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: path)
    }
}

extension Tool {
    /// The Debian package that holds it.
    var package: String { "ffmpeg" }
}
