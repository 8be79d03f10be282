import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

extension EndToEndTests {
    @Test func `a long talk becomes at least four clips that can be posted, made on several nodes`() async throws {
        let video = try await Material.spanishTalk(in: cluster.folder)
        let job = try await client.end(of: client.submit(client.upload(video)))
        try #require(job.status == .ready, "\(String(describing: job.error))")
        #expect(job.language == "es")
        #expect(job.clips.count >= 4, "\(job.clips.count) clips, notes \(job.notes)")
        let workers = Set(job.stages.compactMap(\.node))
        #expect(workers.count >= 2, "everything ran on \(workers)")
        let chunkWorkers = Set(job.stages.filter { $0.name == .transcribe || $0.name == .render }.compactMap(\.node))
        #expect(chunkWorkers.count >= 2, "chunks and clips ran on \(chunkWorkers) alone")

        for clip in job.clips {
            #expect((18.0...32.0).contains(clip.durationSeconds), "\(clip.id): \(clip.durationSeconds) s")
            let file = "\(cluster.folder)/\(clip.id).mp4"
            try await client.download(clip.id, to: file)
            try await expectPostable(file, seconds: clip.durationSeconds)
            let figures = try #require(clip.figures)
            #expect((-15.0 ... -13.0).contains(try #require(figures.loudnessLUFS)), "\(clip.id): \(figures)")
            #expect(try #require(figures.truePeakDBTP) <= -0.3, "\(clip.id): \(figures)")
            #expect(try #require(figures.faceInFrame) >= 0.9, "\(clip.id): \(figures)")
            for format in ["srt", "vtt"] {
                let captions = try await client.http.send(
                    HTTPRequest("GET", client.base + "/api/clips/\(clip.id)/subtitles?format=\(format)"))
                #expect(captions.status == 200)
                #expect(captions.text.contains("-->"), "\(clip.id) has no captions")
            }
        }
        for node in cluster.nodes {
            let peak = try peakMemoryMB(of: node.pid)
            #expect(peak < 300, "\(node.name) had \(peak) MB")
        }
        let ranges = job.clips.map { TimeRange(start: $0.start, end: $0.end) }.sorted { $0.start < $1.start }
        for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.end <= next.start, "\(one) overlaps \(next)") }
    }

    @Test func `a second job of the same video reuses every result and ends in seconds`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder)
        let first = try await client.end(of: client.submit(client.upload(video)))
        try #require(first.status == .ready, "\(String(describing: first.error))")
        // Another node, another upload of the same bytes.
        let other = Client(base: cluster.nodes[2].http)
        let second = try await other.end(of: other.submit(other.upload(video)), seconds: 60)
        try #require(second.status == .ready)
        let fresh = second.stages.filter { !$0.reused && $0.name != .publish }
        #expect(fresh.isEmpty, "done again: \(fresh.map(\.name))")
        let took = try #require(second.endedAt).seconds(since: try #require(second.startedAt))
        #expect(took < 15, "took \(took) s")
        #expect(second.clips.map(\.videoSHA256) == first.clips.map(\.videoSHA256))

        // Deleting the first must not take the clips away from the second.
        let answer = try await client.http.send(HTTPRequest("DELETE", client.base + "/api/jobs/\(first.id)"))
        #expect((200..<300).contains(answer.status), "\(answer.text)")
        try await other.download(second.clips[0].id, to: cluster.folder + "/shared.mp4")

        let last = try await other.http.send(HTTPRequest("DELETE", other.base + "/api/jobs/\(second.id)"))
        #expect((200..<300).contains(last.status), "\(last.text)")
        let left = try FileManager.default.subpathsOfDirectory(atPath: cluster.blobs)
            .filter { $0.contains(first.id.ulid) || $0.contains(second.id.ulid) }
        #expect(left.isEmpty, "blobs of deleted jobs: \(left)")
    }

    @Test func `cancelling stops the tools within two seconds`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 7)
        let id = try await client.submit(client.upload(video))
        _ = try await client.wait(for: id) { job in job.stages.contains { $0.name == .render && $0.state == .running } }
        let answer = try await client.post("/api/jobs/\(id)/cancel")
        #expect((200..<300).contains(answer.status), "\(answer.text)")
        let clock = ContinuousClock()
        let start = clock.now
        while try await toolsRunning() > 0, clock.now < start + .seconds(10) {
            try await clock.sleep(for: .milliseconds(50))
        }
        #expect(start.duration(to: clock.now) < .seconds(2), "a tool ran on for \(start.duration(to: clock.now))")
        let job = try await client.job(id)
        #expect(job.status == .cancelled)
        #expect(job.stages.allSatisfy { $0.state != .running && $0.state != .ready })
    }

    /// Most memory a process ever had, without its children.
    private func peakMemoryMB(of pid: Int32) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Double(line.split(separator: " ").dropLast().last ?? "")) / 1024
    }

    /// ffmpeg processes that are children of our nodes.
    private func toolsRunning() async throws -> Int {
        let pids = cluster.nodes.map { "\($0.pid)" }.joined(separator: ",")
        let output = try await Shell.run("ps", ["-o", "comm=", "--ppid", pids])
        return output.standardOutput.split(separator: "\n").filter { $0.hasPrefix("ffmpeg") }.count
    }

    /// 1080x1920, H.264 High yuv420p, AAC 48 kHz, `moov` first, as long as announced.
    private func expectPostable(_ file: String, seconds: Double) async throws {
        let probe = try await Shell.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries",
                "stream=codec_name,profile,pix_fmt,width,height,sample_rate:format=duration",
                "-of", "default=nw=1:nk=0", file,
            ])
        let text = probe.standardOutput
        for expected in [
            "codec_name=h264", "profile=High", "pix_fmt=yuv420p", "width=1080", "height=1920", "codec_name=aac",
            "sample_rate=48000",
        ] { #expect(text.contains(expected), "\(file): \(text)") }
        let duration = text.split(separator: "\n").first { $0.hasPrefix("duration=") }.flatMap {
            Double($0.dropFirst(9))
        }
        #expect(abs(try #require(duration) - seconds) < 0.15, "\(file): \(text)")
        let head = try FileHandle(forReadingFrom: URL(filePath: file)).read(upToCount: 1 << 16) ?? Data()
        let moov = head.range(of: Data("moov".utf8)), mdat = head.range(of: Data("mdat".utf8))
        #expect(moov != nil && (mdat == nil || moov!.lowerBound < mdat!.lowerBound), "\(file) does not start with moov")
    }
}
