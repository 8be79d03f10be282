/// The parts of a command line that every run of ffmpeg and ffprobe has in common.
package enum FFmpeg {
    /// First arguments of ffmpeg. Warnings go to standard error, of which the end is kept.
    package static let leading = ["-nostdin", "-hide_banner", "-loglevel", "warning", "-y"]

    /// Makes a pass over a damaged source end well: by default ffmpeg fails when two thirds of it cannot be decoded.
    package static let tolerant = ["-max_error_rate", "1"]

    /// First arguments of ffprobe.
    package static let probeLeading = ["-hide_banner", "-loglevel", "error"]

    /// Machine-readable progress on standard output; see `FFmpegProgress`.
    package static let progress = ["-nostats", "-progress", "pipe:1"]

    /// Makes what is written hold nothing of the source but picture and sound.
    package static let withoutMetadata = ["-map_metadata", "-1", "-map_chapters", "-1"]

    /// Demuxers that may open an upload. The playlist-like ones (hls, concat, dash, sdp, image2, ...) are left out: a
    /// file of theirs could make ffmpeg read other files of this machine.
    package static let formats = [
        "mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "ogg", "flv", "asf", "wav", "mp3", "flac", "aac",
    ]

    /// The arguments that open a local file for reading, and nothing but that file.
    ///
    /// `file:` keeps a name with a colon from being read as a protocol and one with a dash as an option.
    package static func input(_ path: String, options: [String] = []) -> [String] {
        restrictions + options + ["-i", "file:" + path]
    }

    /// Must stand before every input: they are options of the demuxer, not of the program.
    ///
    /// Every run looks equally far into the file (20 s, 20 MB: a track of a transport stream may begin late), so that
    /// all see the same streams under the same numbers.
    package static let restrictions = [
        "-protocol_whitelist", "file,pipe", "-format_whitelist", formats.joined(separator: ","),
        "-analyzeduration", "20M", "-probesize", "20M",
    ]

    /// Seconds as ffmpeg reads them: plain decimals, never an exponent.
    package static func seconds(_ value: Double) -> String {
        let milliseconds = Int((value * 1000).rounded())
        let (whole, part) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        let digits = String(part)
        let sign = milliseconds < 0 ? "-" : ""
        return "\(sign)\(whole).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }
}
