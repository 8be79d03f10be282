/// A program of a few lines, for what starts programs.
package enum Script {
    /// Writes it by a process of its own. Were it open for writing here, then another thread that starts a program just
    /// then would give that program the open file for a moment, and for so long the kernel executes no such script
    /// ("Text file busy").
    package static func write(_ text: String, to path: String) throws {
        try Child.run("/bin/sh", ["-c", #"printf %s "$1" > "$2" && chmod 755 "$2""#, "sh", text, path])
    }
}
