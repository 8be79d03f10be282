import Foundation
import Testing

/// Videos that the tests make from free material and from nothing.
enum Material {
    /// Spanish sentences, read by espeak-ng over a face: nearly four minutes with topics, questions and numbers.
    static func spanishTalk(in folder: String) async throws -> String {
        let out = folder + "/charla.mp4"
        if FileManager.default.fileExists(atPath: out) { return out }
        let text = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "charla.txt").path
        let speech = folder + "/charla.wav"
        let spoken = try await Shell.run("espeak-ng", ["-v", "es", "-s", "145", "-g", "4", "-f", text, "-w", speech])
        try #require(spoken.code == 0, "espeak-ng: \(spoken.text)")
        try await Shell.ffmpeg([
            "-stream_loop", "-1", "-i", Cluster.fixtures + "/woman.mp4", "-i", speech, "-map", "0:v", "-map", "1:a",
            "-vf", "scale=1280:720,fps=25", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-c:a", "aac",
            "-shortest", out,
        ])
        return out
    }

    /// English prose with a face, 55 s: short enough to be broken many times. Fewer seconds where it is about who does
    /// the work and not about what comes out.
    static func shortTalk(in folder: String, variant: Int = 0, seconds: Int = 60) async throws -> String {
        let out = folder + "/talk-\(variant).mp4"
        if FileManager.default.fileExists(atPath: out) { return out }
        // The sound differs from the first word on, so that no variant finds the results of another.
        let sound =
            "[1:a]aresample=48000,adelay=\(variant * 100)[a];[2:a]aresample=48000,adelay=400[b];"
            + "[a][b]concat=n=2:v=0:a=1[s]"
        try await Shell.ffmpeg([
            "-stream_loop", "-1", "-i", Cluster.fixtures + "/woman.mp4", "-i", Cluster.fixtures + "/two_cities.wav",
            "-i", Cluster.fixtures + "/jfk.wav", "-filter_complex", sound, "-map", "0:v", "-map", "[s]", "-t",
            "\(seconds)", "-vf", "scale=640:360,fps=25", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac",
            "-shortest", out,
        ])
        return out
    }
}
