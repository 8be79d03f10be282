import Blobs
import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Media
import Stages
import Store
import StoreModel
import Synchronization
import Testing

/// A clip of a finished job is asked for otherwise.
@Suite(.timeLimit(.minutes(5))) struct RevisionRouteTests {
    /// A door with a job of two clips that is ready, made of results as small as they can be.
    private func open(
        store: (any Store)? = nil, _ body: @Sendable (Door, JobID, NodeLife) async throws -> Void
    ) async throws {
        try await Door.open(store: store) { door in
            let id = try await door.submittedJob()
            let life = try await door.node()
            try await door.play(life)
            try #require(try await door.store.job(id)?.status == .ready)
            try await body(door, id, life)
        }
    }

    private func post(_ door: Door, _ path: String, _ json: String) async throws -> RawClient.Reply {
        try await door.client.send("POST", path, headers: [Door.jsonType], body: Array(json.utf8))
    }

    @Test func `a clip is rendered anew under its id, and its ETag changes when it is published`() async throws {
        try await open { door, job, life in
            let clip = ClipID(job: job, ordinal: 1)
            func tag(_ clip: ClipID) async throws -> String? {
                try await door.client.send("HEAD", "/api/clips/\(clip)/download").headers["etag"]
            }
            let before = try await tag(clip), neighbour = try await tag(ClipID(job: job, ordinal: 0))
            let reply = try await post(
                door, "/api/jobs/\(job)/rerender",
                #"{"clipId": "\#(clip)", "start": 61.5, "end": 75, "options": {"aspect": "1:1"}}"#)
            #expect(reply.status == 202 && reply.headers["location"] == "/api/clips/\(clip)", "\(reply.text)")
            #expect(try reply.json("revision") as? Int == 2)
            #expect(try await tag(clip) == before)
            let pending = try await door.client.send("GET", "/api/clips/\(clip)")
            #expect(try pending.json("clip", "pendingRevision") as? Int == 2)
            #expect(try pending.json("clip", "start") as? Double == 60)
            let again = try await post(door, "/api/jobs/\(job)/rerender", #"{"clipId": "\#(clip)"}"#)
            #expect(try again.status == 409 && again.string("code") == "revision_under_way")
            let archive = try await door.client.send("GET", "/api/jobs/\(job)/archive")
            #expect(archive.status == 200, "what was there is given away meanwhile")
            try await door.play(life)
            let after = try await door.client.send("GET", "/api/clips/\(clip)")
            #expect(try after.json("clip", "revision") as? Int == 2)
            #expect(try after.json("clip", "start") as? Double == 61.5)
            #expect(try after.json("clip", "options", "aspect") as? String == "1:1")
            #expect(try await tag(clip) != before)
            #expect(try await tag(ClipID(job: job, ordinal: 0)) == neighbour)
            #expect(try await door.store.job(job)?.status == .ready)
            let manifest = try await door.client.send("GET", "/api/jobs/\(job)/manifest")
            #expect(manifest.text.contains("publish[2]"), "\(manifest.text)")
        }
    }

    @Test func `what is not said stays as it was in the revision before`() async throws {
        try await open { door, job, life in
            let clip = ClipID(job: job, ordinal: 0)
            let path = "/api/jobs/\(job)/rerender"
            let edits = #"{"captions": [{"start": 12, "end": 14, "text": "Hello!"}]}"#
            _ = try await post(
                door, path, #"{"clipId": "\#(clip)", "options": {"watermark": "me"}, "edits": \#(edits)}"#)
            try await door.play(life)
            let looks = #"{"captionStyle": "boxed", "speakerColors": true}"#
            _ = try await post(door, path, #"{"clipId": "\#(clip)", "end": 28, "options": \#(looks)}"#)
            let second = try #require(try await door.store.revisions(of: job).last)
            #expect(second.range == TimeRange(start: 10, end: 28))
            #expect(second.options.watermark == "me" && second.options.captionStyle == .boxed)
            #expect(second.options.speakerColors)
            #expect(try await door.store.edits(of: second.id)?.captions?.map(\.text) == ["Hello!"])
            try await door.play(life)
            let clear = #"{"clipId": "\#(clip)", "options": {"watermark": null}, "edits": {"captions": null}}"#
            #expect(try await post(door, path, clear).status == 202)
            let third = try #require(try await door.store.revisions(of: job).last)
            #expect(third.options.watermark == nil && !third.hasCaptions && third.number == 4)
        }
    }

    @Test func `who changes what another has changed meanwhile is told so, and undoes nothing`() async throws {
        try await open { door, job, life in
            let clip = ClipID(job: job, ordinal: 0)
            let path = "/api/jobs/\(job)/rerender"
            let words = #"{"captions": [{"start": 12, "end": 14, "text": "Mine"}]}"#
            let first = try await post(door, path, #"{"clipId": "\#(clip)", "ifRevision": 1, "edits": \#(words)}"#)
            #expect(first.status == 202, "\(first.text)")
            try await door.play(life)
            let second = try await post(door, path, #"{"clipId": "\#(clip)", "ifRevision": 1, "title": "Yours"}"#)
            #expect(try second.status == 412 && second.string("code") == "revision_changed", "\(second.text)")
            #expect(try await door.store.revisions(of: job).count == 1)
            #expect(try await door.store.job(job)?.status == .ready)
            let seen = try await door.client.send("GET", "/api/clips/\(clip)")
            #expect(try seen.json("clip", "revision") as? Int == 2)
            let again = try await post(door, path, #"{"clipId": "\#(clip)", "ifRevision": 2, "title": "Yours"}"#)
            #expect(again.status == 202, "\(again.text)")
            let last = try #require(try await door.store.revisions(of: job).last)
            #expect(last.title == "Yours" && last.hasCaptions && last.number == 3)
        }
    }

    /// Done once, by whoever comes first.
    private final class Errand: Sendable {
        private let body = Mutex<(@Sendable () async throws -> Void)?>(nil)

        func set(_ new: @escaping @Sendable () async throws -> Void) { body.withLock { $0 = new } }

        func run() async throws {
            let taken = body.withLock { body in
                defer { body = nil }
                return body
            }
            try await taken?()
        }
    }

    @Test(arguments: [false, true])
    func `a wish is laid over what came between its look and its write, unless its client said what it knows`(
        saysSo: Bool
    ) async throws {
        let meanwhile = Errand()
        var store = MeddlingStore(InMemoryStore(now: systemWallTime))
        store.revises = { base, draft, advance in
            try await meanwhile.run()
            return try await base.revise(draft, advance: advance)
        }
        try await open(store: store) { door, job, life in
            let clip = ClipID(job: job, ordinal: 0)
            meanwhile.set {
                var other = JobService.Wish()
                other.captions = [ClipEdits.Caption(start: 12, end: 14, text: "Theirs")]
                _ = try await door.jobs.revise(clip, other)
                try await door.play(life)
            }
            let known = saysSo ? #""ifRevision": 1, "# : ""
            let reply = try await post(
                door, "/api/jobs/\(job)/rerender", #"{"clipId": "\#(clip)", \#(known)"title": "Mine"}"#)
            let last = try #require(try await door.store.revisions(of: job).last)
            #expect(try await door.store.edits(of: last.id)?.captions?.map(\.text) == ["Theirs"])
            if saysSo {
                #expect(try reply.status == 412 && reply.string("code") == "revision_changed", "\(reply.text)")
                #expect(last.number == 2)
            } else {
                #expect(reply.status == 202, "\(reply.text)")
                #expect(last.number == 3 && last.title == "Mine")
            }
        }
    }

    @Test func `a clip made by hand that failed is asked for again as it was wanted`() async throws {
        try await open { door, job, life in
            let clip = ClipID(job: job, ordinal: 2)
            let edits = #"{"captions": [{"start": 91, "end": 93, "text": "By hand"}]}"#
            let wish = #"{"jobId": "\#(job)", "start": 90, "end": 101, "title": "Mine", "#
            _ = try await post(door, "/api/clips", wish + #""options": {"aspect": "1:1"}, "edits": \#(edits)}"#)
            let lease = try #require(try await door.store.claim(1, for: life).first)
            let failure = Failure(.poison, code: "broken", reason: "It broke.", hint: "Mend it.")
            _ = try await door.store.complete(lease, with: .failed(failure), advance: Pipeline.advance)
            #expect(try await door.store.clip(clip)?.state == .error)
            let told = try await door.client.send("GET", "/api/clips/\(clip)/captions")
            #expect(try told.json("captions", "0", "text") as? String == "By hand", "\(told.text)")
            let again = try await post(
                door, "/api/jobs/\(job)/rerender", #"{"clipId": "\#(clip)", "ifRevision": 0, "end": 100}"#)
            #expect(again.status == 202, "\(again.text)")
            let second = try #require(try await door.store.revisions(of: job).last)
            #expect(second.number == 2 && second.range == TimeRange(start: 90, end: 100))
            #expect(second.options.aspect == .square && second.title == "Mine")
            #expect(try await door.store.edits(of: second.id)?.captions?.map(\.text) == ["By hand"])
        }
    }

    @Test func `what a shell clears goes back to what it was before anybody said anything`() async throws {
        struct Wish: Encodable { let clipId: ClipID, title: String? }
        try await open { door, job, life in
            let clip = ClipID(job: job, ordinal: 0)
            let path = "/api/jobs/\(job)/rerender"
            let edits = #"{"captions": [], "scenes": [{"start": 12, "end": 14, "layout": "fit"}]}"#
            _ = try await post(
                door, path, #"{"clipId": "\#(clip)", "options": {"watermark": "me"}, "edits": \#(edits)}"#)
            try await door.play(life)
            let wish = Wish(clipId: clip, title: nil)
            func send(_ file: String, clearing fields: Set<ClearedField>) async throws -> RawClient.Reply {
                let body = try ClearedField.encode(wish, edits: Array(file.utf8), clearing: fields)
                return try await door.client.send("POST", path, headers: [Door.jsonType], body: try #require(body))
            }
            let misspelt = try await send(#"{"caption": []}"#, clearing: [.watermark])
            #expect(try misspelt.status == 422 && misspelt.string("code") == "unknown_field", "\(misspelt.text)")
            let file = #"{"captions": null, "scenes": [{"start": 11.25, "end": 12, "layout": "crop", "x": 0.3}]}"#
            let reply = try await send(file, clearing: [.watermark])
            #expect(reply.status == 202, "\(reply.text)")
            let second = try #require(try await door.store.revisions(of: job).last)
            #expect(second.options.watermark == nil && second.hasScenes && !second.hasCaptions)
            let scenes = [ClipEdits.Scene(start: 11.25, end: 12, layout: .crop, x: 0.3)]
            #expect(try await door.store.edits(of: second.id) == ClipEdits(scenes: scenes))
        }
    }

    @Test func `what a shell both says and clears, or no object, is no request`() throws {
        func body(_ edits: String?, _ fields: Set<ClearedField>) throws -> String? {
            try ClearedField.encode(["title": "Neu"], edits: edits.map { Array($0.utf8) }, clearing: fields)
                .map { String(decoding: $0, as: UTF8.self) }
        }
        for wrong in ["", "{", "[]", "null", #"{"captions": []}"#] { #expect(try body(wrong, [.captions]) == nil) }
        #expect(try body("{}", [.captions]) == #"{"edits":{"captions":null},"title":"Neu"}"#)
        #expect(try body(#"{"captions": null}"#, [.captions]) == #"{"edits":{"captions":null},"title":"Neu"}"#)
        #expect(try body(#"{"scenes": []}"#, []) == #"{"edits":{"scenes":[]},"title":"Neu"}"#)
        #expect(try body(nil, [.watermark]) == #"{"options":{"watermark":null},"title":"Neu"}"#)
        #expect(try body(nil, []) == #"{"title":"Neu"}"#)
    }

    @Test func `one clip tells the reason in every language, as its job does`() async throws {
        try await open { door, job, _ in
            let clip = try await door.client.send("GET", "/api/clips/\(ClipID(job: job, ordinal: 1))")
            #expect(try clip.string("clip", "reasons", "es") == "por qué", "\(clip.text)")
            let whole = try await door.client.send("GET", "/api/jobs/\(job)")
            #expect(try whole.json("clips", "1", "reasons", "es") as? String == "por qué")
            #expect(try (whole.json("job", "tookSeconds") as? Double ?? -1) >= 0)
        }
    }

    @Test func `a clip is added by hand`() async throws {
        try await open { door, job, life in
            let reply = try await post(
                door, "/api/clips", #"{"jobId": "\#(job)", "start": 90, "end": 101.5, "title": "Mine"}"#)
            #expect(reply.status == 202, "\(reply.text)")
            #expect(try reply.string("clipId") == "\(ClipID(job: job, ordinal: 2))")
            let early = try await door.client.send("GET", "/api/clips/\(ClipID(job: job, ordinal: 2))/download")
            #expect(try early.status == 409 && early.string("code") == "clip_not_ready")
            try await door.play(life)
            let clip = try await door.client.send("GET", "/api/clips/\(ClipID(job: job, ordinal: 2))")
            #expect(try clip.string("clip", "title") == "Mine" && clip.string("clip", "state") == "ready")
        }
    }

    private static let wrong: [(json: String, status: Int, code: String)] = [
        ("[]", 400, "malformed_json"), ("{}", 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "begin": 1}"#, 422, "unknown_field"),
        (#"{"clipId": "CLIP", "start": "1"}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "ifRevision": "1"}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "ifRevision": 3}"#, 412, "revision_changed"),
        (#"{"clipId": "CLIP", "start": 40}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "start": 10, "end": 12.9}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "end": 121}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "options": 3}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "options": {"keywords": []}}"#, 422, "option_of_job"),
        (#"{"clipId": "CLIP", "options": {"colour": 1}}"#, 422, "unknown_option"),
        (#"{"clipId": "CLIP", "options": {"aspect": "2:1"}}"#, 422, "invalid_option"),
        (#"{"clipId": "CLIP", "options": {"watermark": ""}}"#, 422, "invalid_option"),
        (#"{"clipId": "CLIP", "edits": {"words": []}}"#, 422, "unknown_field"),
        (#"{"clipId": "CLIP", "edits": {"captions": [{"start": 1}]}}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "edits": {"captions": [{"start": 2, "end": 1, "text": "a"}]}}"#, 422, "invalid_edit"),
        (#"{"clipId": "CLIP", "edits": {"scenes": [{"start": 1, "end": 2, "layout": "round"}]}}"#, 422, "invalid_edit"),
        (#"{"clipId": "clip_01hzzzzzzzzzzzzzzzzzzzzzzz_0"}"#, 404, "no_such_clip"),
        (#"{"clipId": "CLIP9"}"#, 404, "no_such_clip"),
    ]

    @Test func `what makes no sense is refused with what, why and what to do`() async throws {
        try await open { door, job, _ in
            for (json, status, code) in Self.wrong {
                let body = json.replacing("CLIP", with: "\(ClipID(job: job, ordinal: 0))")
                let reply = try await post(door, "/api/jobs/\(job)/rerender", body)
                #expect(reply.status == status, "\(json): \(reply.text)")
                #expect(try reply.string("code") == code, "\(json): \(reply.text)")
                #expect(try !reply.string("hint").isEmpty && !reply.string("detail").isEmpty)
            }
            #expect(try await door.store.revisions(of: job).isEmpty)
            #expect(try await door.store.job(job)?.status == .ready)
        }
    }

    @Test func `a job that is not ready has nothing to change yet`() async throws {
        try await Door.open { door in
            let job = try await door.submittedJob()
            let reply = try await post(door, "/api/clips", #"{"jobId": "\#(job)", "start": 1, "end": 9}"#)
            #expect(reply.status == 409 && reply.headers["retry-after"] == "5")
            #expect(try reply.string("code") == "job_not_ready")
            _ = try await door.store.cancel(job)
            let after = try await post(door, "/api/clips", #"{"jobId": "\#(job)", "start": 1, "end": 9}"#)
            #expect(after.status == 409 && after.headers["retry-after"] == nil)
        }
    }

    @Test func `what may be edited can be read, in seconds of the source`() async throws {
        try await open { door, job, _ in
            let path = "/api/clips/\(ClipID(job: job, ordinal: 0))"
            let captions = try await door.client.send("GET", path + "/captions")
            #expect(captions.status == 200, "\(captions.text)")
            #expect(try captions.json("captions", "0", "text") as? String == "hello world")
            #expect(try captions.json("captions", "0", "start") as? Double == 12)
            #expect(try captions.json("isEdited") as? Bool == false)
            let scenes = try await door.client.send("GET", path + "/scenes")
            #expect(try scenes.json("scenes", "0", "layout") as? String == "fit")
            #expect(try scenes.json("scenes", "0", "start") as? Double == 10)
            let none = ClipID(job: job, ordinal: 7)
            #expect(try await door.client.send("GET", "/api/clips/\(none)/captions").status == 404)
        }
    }

    @Test func `a tightened clip plays shorter, and what may be edited stays in seconds of the source`() async throws {
        try await open { door, job, life in
            let clip = ClipID(job: job, ordinal: 0)
            let path = "/api/clips/\(clip)"
            let wish = #"{"clipId": "\#(clip)", "options": {"tighten": true}}"#
            #expect(try await post(door, "/api/jobs/\(job)/rerender", wish).status == 202)
            // "world" is said from 13 to 13.8.
            let kept = [TimeRange(start: 10, end: 12.9), TimeRange(start: 13.9, end: 30)]
            while let lease = try await door.store.claim(1, for: life).first {
                try await door.finish(lease, kept: kept)
            }
            let told = try await door.client.send("GET", path)
            let seconds = try #require(try told.json("clip", "durationSeconds") as? Double)
            #expect(abs(seconds - 19) < 0.001, "\(told.text)")
            #expect(try told.json("clip", "end") as? Double == 30)
            #expect(try told.json("clip", "options", "tighten") as? Bool == true)
            #expect(try told.json("clip", "figures", "kept", "1", "start") as? Double == 13.9)
            let captions = try await door.client.send("GET", path + "/captions")
            #expect(try captions.json("captions", "0", "text") as? String == "hello")
            #expect(try captions.json("captions", "0", "start") as? Double == 12)
            let scenes = try await door.client.send("GET", path + "/scenes")
            #expect(try scenes.json("scenes", "0", "end") as? Double == 30)
            // What is not said stays: the next revision is tightened, too.
            let title = #"{"clipId": "\#(clip)", "title": "Mine"}"#
            #expect(try await post(door, "/api/jobs/\(job)/rerender", title).status == 202)
            #expect(try await door.store.revisions(of: job).last?.options.tighten == true)
        }
    }

    @Test func `the same key asks for one revision`() async throws {
        try await open { door, job, _ in
            let body = Array(#"{"jobId": "\#(job)", "start": 1, "end": 9}"#.utf8)
            let headers = [Door.jsonType, ("Idempotency-Key", "once")]
            let first = try await door.client.send("POST", "/api/clips", headers: headers, body: body)
            let second = try await door.client.send("POST", "/api/clips", headers: headers, body: body)
            #expect(first.status == 202 && second.status == 202 && first.body == second.body)
            #expect(try await door.store.revisions(of: job).count == 1)
        }
    }
}
