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

    /// Decoders that may be used: what cameras, phones, editors, browsers and broadcasters make, of the last thirty
    /// years. ffmpeg has five hundred, most of them for the films of old games, and any of them is a way in. Subtitles
    /// are never used; but the prober opens a decoder for every track, and one that it may not open ends it.
    package static let decoders = videoDecoders + audioDecoders + subtitleDecoders

    private static let videoDecoders = [
        "h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "h263", "h263p",
        "flv", "vp6", "vp6f", "mpeg1video", "mpeg2video", "mpegvideo", "mjpeg", "prores", "dnxhd", "cfhd", "ffv1",
        "huffyuv", "ffvhuff", "utvideo", "theora", "wmv1", "wmv2", "wmv3", "vc1", "rawvideo", "v210", "dvvideo", "png",
        "qtrle", "cinepak",
    ]
    private static let audioDecoders = [
        "aac", "aac_latm", "mp3float", "mp3", "mp2float", "mp2", "ac3", "eac3", "dca", "truehd", "mlp", "opus",
        "vorbis", "speex", "flac", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le",
        "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_u8", "pcm_s8", "pcm_mulaw", "pcm_alaw", "pcm_bluray", "pcm_dvd",
        "s302m", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf", "wmav1", "wmav2", "wmapro", "amrnb",
        "amrwb", "nellymoser",
    ]
    private static let subtitleDecoders = [
        "mov_text", "srt", "subrip", "ass", "ssa", "webvtt", "text", "dvdsub", "dvbsub", "pgssub", "xsub", "cc_dec",
        "libzvbi_teletextdec",
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
        "-codec_whitelist", decoders.joined(separator: ","),
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
