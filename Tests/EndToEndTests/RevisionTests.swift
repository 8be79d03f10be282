import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// A finished job's clips are changed, one at a time, and the others are not touched.
extension EndToEndTests {
    @Test func `a clip gets other borders and words, a clip is made by hand, and the rest stays`() async throws {
        let video = try await Material.shortTalk(in: cluster.folder, variant: 3)
        let options: [String: Any] = ["clipCount": 2, "minSeconds": 8, "maxSeconds": 14, "subtitles": "burned"]
        let job = try await client.end(of: client.submit(client.upload(video), options: options))
        try #require(job.status == .ready && job.clips.count == 2, "\(String(describing: job.error)) \(job.notes)")
        let (changed, kept) = (job.clips[0], job.clips[1])
        let before = try await tags(of: [changed.id, kept.id])

        // Other borders and other words, at another node than the one that took the job in.
        let other = Client(base: cluster.nodes[1].http)
        let start = (changed.start + 1).rounded(), end = start + 7
        let edits: [String: Any] = [
            "captions": [["start": start + 1, "end": start + 4, "text": "Palabras del cliente, ¡sí!"]],
            "scenes": [["start": start, "end": start + 3, "layout": "fit"]],
        ]
        let wish: [String: Any] = [
            "clipId": changed.id.rawValue, "start": start, "end": end, "options": ["aspect": "1:1"], "edits": edits,
        ]
        let taken = try await other.post("/api/jobs/\(job.id)/rerender", wish)
        try #require(taken.status == 202, "\(taken.status) \(taken.text)")
        // The old clip is there until the new one is: what is the first revision still was so when it was asked for.
        let meanwhile = try await tags(of: [changed.id])[0]
        let seen = try await client.job(job.id).clips[0]
        if seen.revision == 1 { #expect(meanwhile == before[0]) }
        let revised = try await client.end(of: job.id)
        try #require(revised.status == .ready)
        let clip = revised.clips[0]
        try #require(clip.revision == 2 && clip.id == changed.id, "\(String(describing: clip.revisionError))")
        #expect(clip.start == start && clip.end == end && clip.pendingRevision == nil)
        #expect(clip.figures?.width == 1080 && clip.figures?.height == 1080)
        #expect(abs((clip.figures?.durationSeconds ?? 0) - (end - start)) < 0.2)
        #expect(revised.clips[1] == kept)
        let after = try await tags(of: [changed.id, kept.id])
        #expect(after[0] != before[0] && after[1] == before[1])
        #expect(meanwhile == before[0] || meanwhile == after[0], "\(String(describing: meanwhile))")
        let subtitles = try await client.http.send(
            HTTPRequest("GET", client.base + "/api/clips/\(clip.id)/subtitles?format=srt"))
        #expect(subtitles.text == "1\n00:00:01,000 --> 00:00:04,000\nPalabras del cliente, ¡sí!\n\n")
        let scenes = try await client.http.send(HTTPRequest("GET", client.base + "/api/clips/\(clip.id)/scenes"))
        #expect(scenes.text.contains("\"fit\""), "\(scenes.text)")
        // Nothing but the stages of that clip was done.
        let more = revised.stages.filter { stage in
            !job.stages.contains { $0.name == stage.name && $0.index == stage.index }
        }
        #expect(more.map(\.name).sorted() == [.reframe, .render, .check, .thumbnail, .publish].sorted())

        try await addByHand(to: job.id, clips: 2)
        try await refuseWhatMakesNoSense(job.id, kept)
        let manifest = try await client.http.send(HTTPRequest("GET", client.base + "/api/jobs/\(job.id)/manifest"))
        #expect(manifest.text.contains("\"revision\":2"), "\(manifest.text)")
    }

    private func addByHand(to job: JobID, clips: Int) async throws {
        let wish: [String: Any] = ["jobId": job.rawValue, "start": 2, "end": 8.5, "title": "A mano"]
        let taken = try await client.post("/api/clips", wish)
        try #require(taken.status == 202, "\(taken.status) \(taken.text)")
        let ended = try await client.end(of: job)
        try #require(ended.clips.count == clips + 1)
        let clip = ended.clips[clips]
        #expect(clip.state == .ready && clip.title == "A mano" && clip.revision == 1, "\(clip)")
        try await client.download(clip.id, to: "\(cluster.folder)/by-hand.mp4")
    }

    private func refuseWhatMakesNoSense(_ job: JobID, _ clip: JobView.ClipView) async throws {
        let wishes: [(code: String, body: [String: Any])] = [
            ("invalid_edit", ["clipId": clip.id.rawValue, "start": 1, "end": 2]),
            ("invalid_edit", ["clipId": clip.id.rawValue, "start": 1, "end": 90_000]),
            ("option_of_job", ["clipId": clip.id.rawValue, "options": ["clipCount": 3]]),
            ("unknown_field", ["clipId": clip.id.rawValue, "begin": 3]),
            ("no_such_clip", ["clipId": "clip_\(job.ulid)_99"]),
        ]
        for (code, body) in wishes {
            let answer = try await client.post("/api/jobs/\(job)/rerender", body)
            let problem = try JSONDecoder().decode(Client.Problem.self, from: Data(answer.body))
            #expect(problem.code == code && (400..<500).contains(answer.status), "\(answer.status) \(answer.text)")
            #expect(problem.hint?.isEmpty == false)
        }
        #expect(try await client.job(job).status == .ready)
    }

    private func tags(of clips: [ClipID]) async throws -> [String?] {
        var tags: [String?] = []
        for clip in clips {
            let answer = try await client.http.send(HTTPRequest("HEAD", client.base + "/api/clips/\(clip)/download"))
            #expect(answer.status == 200)
            tags.append(answer.headers["etag"])
        }
        return tags
    }
}
