import Foundation

/// The same tools, called one after the other by a careful person with all cores for each: no queue, no database, no
/// checks between the steps. What a job costs beyond this is what the cluster costs.
struct ByHand {
    let video: String
    let folder: String
    let whisperBench: [String]
    let threads: Int

    struct Clip {
        let start: Double
        let seconds: Double
    }

    /// Returns wall and CPU seconds of each step.
    func run(clips: [Clip]) throws -> [(name: String, wall: Double, cpu: Double)] {
        var steps: [(name: String, wall: Double, cpu: Double)] = []
        func step(_ name: String, _ program: String, _ arguments: [String]) throws {
            let done = try Processes.must(program, arguments)
            if let known = steps.firstIndex(where: { $0.name == name }) {
                steps[known].wall += done.wallSeconds
                steps[known].cpu += done.cpuSeconds
            } else {
                steps.append((name, done.wallSeconds, done.cpuSeconds))
            }
        }
        let quiet = ["-nostdin", "-hide_banner", "-v", "error", "-y", "-threads", "\(threads)"]
        try step("probe", "ffprobe", ["-v", "error", "-show_streams", "-show_format", video])
        try step(
            "audio", "ffmpeg",
            quiet + ["-i", video, "-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", "\(folder)/sound.wav"])
        try step(
            "shots", "ffmpeg",
            quiet + [
                "-i", video, "-an", "-vf", "scale=160:-2:flags=fast_bilinear,scdet=threshold=10", "-f", "null", "-",
            ])
        try step(
            "transcribe", whisperBench[0], Array(whisperBench.dropFirst()) + ["\(folder)/sound.wav", "\(threads)"])
        for (number, clip) in clips.enumerated() {
            let cut = ["-ss", "\(clip.start)", "-t", "\(clip.seconds)", "-i", video]
            try step(
                "reframe", "ffmpeg",
                quiet + cut + ["-an", "-vf", "fps=5,scale=640:-2", "-f", "rawvideo", "-pix_fmt", "bgr24", "/dev/null"])
            try step(
                "loudness", "ffmpeg", quiet + cut + ["-vn", "-af", "ebur128=peak=true", "-f", "null", "-"])
            try step(
                "render", "ffmpeg",
                quiet + cut + [
                    "-vf", "crop=ih*9/16:ih,scale=1080:1920:flags=bicubic,setsar=1", "-af",
                    "volume=3dB,aresample=192000,alimiter=limit=0.8,aresample=48000", "-c:v", "libx264", "-preset",
                    "veryfast", "-crf", "21", "-profile:v", "high", "-level", "4.1", "-pix_fmt", "yuv420p", "-threads",
                    "\(threads)", "-c:a", "aac", "-b:a", "160k", "-ar", "48000", "-movflags", "+faststart",
                    "\(folder)/clip-\(number).mp4",
                ])
            try step(
                "check", "ffmpeg",
                quiet + [
                    "-i", "\(folder)/clip-\(number).mp4", "-vf", "scale=270:-2,blackdetect,freezedetect", "-af",
                    "ebur128=peak=true", "-f", "null", "-",
                ])
            try step(
                "thumbnail", "ffmpeg",
                quiet + [
                    "-ss", "1", "-i", "\(folder)/clip-\(number).mp4", "-frames:v", "1", "\(folder)/clip-\(number).jpg",
                ])
        }
        return steps
    }
}
