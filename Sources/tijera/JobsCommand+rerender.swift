import ArgumentParser
import ClipModel
import Foundation
import HTTPClient
import Jobs

extension JobsCommand {
    /// Asks as a client does, so it needs no token.
    struct Rerender: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Renders one clip of a finished job anew, or adds one, and waits for it.",
            discussion: """
                What is not named stays as it is. Without CLIP a clip is added, and --start and --end are needed. \
                The other clips are not touched, and the old one stays until the new one is published.

                Exit codes: 0 the clip is there; 1 it could not be made; 2 the server refused the request; 3 no node \
                can be reached; 5 a file cannot be read; 64 wrong usage.
                """)

        @Argument(help: "Id of the job.")
        var job: String

        @Argument(help: "Id of the clip.")
        var clip: String?

        @Option(help: "Where the clip begins, in seconds of the video.")
        var start: Double?

        @Option(help: "Where it ends.")
        var end: Double?

        @Option(help: "Its headline.")
        var title: String?

        @Option(help: "9:16, 1:1, 4:5 or 16:9.")
        var aspect: JobOptions.Aspect?

        @Option(help: "off, srt or burned.")
        var subtitles: JobOptions.Subtitles?

        @Option(help: "classic, plain, boxed, pop, headline or neon.")
        var captionStyle: JobOptions.CaptionStyle?

        @Option(help: "Captions in another colour for each speaker: true or false.")
        var speakerColors: Bool?

        @Option(help: "Follow faces: true or false.")
        var smartCrop: Bool?

        @Option(help: "Come closer now and then in long still shots of one speaker: true or false.")
        var punchIns: Bool?

        @Option(help: "Take steady noise out of the sound: true or false.")
        var denoise: Bool?

        @Option(help: "Cut long pauses and fillers out of the clip: true or false.")
        var tighten: Bool?

        @Option(help: "Text drawn small in a corner.")
        var watermark: String?

        @Option(help: "JSON file with captions and scenes, as the API takes them in \"edits\"; null clears them.")
        var edits: String?

        @Option(
            help: """
                captions: go back to what was heard; scenes: to the framing that was found; watermark: to none. May be \
                given more than once.
                """)
        var clear: [ClearedField] = []

        @Option(help: "Only if the clip shows this revision: refused when somebody else has changed it since.")
        var ifRevision: Int?

        @Option(help: "A node of the cluster. May be given more than once.")
        var server: [String] = ["http://127.0.0.1:8080"]

        @OptionGroup var trust: TrustChoice

        @Option(help: "File with an API key. Otherwise TIJERA_API_KEY is used.")
        var apiKeyFile: String?

        @Flag(help: "Print the clip as JSON on standard output.")
        var json = false

        private struct Request: Encodable {
            let clipId: String?
            let jobId: String?
            let ifRevision: Int?
            let start: Double?
            let end: Double?
            let title: String?
            let options: Options?
        }

        /// Those that were named.
        private struct Options: Encodable, Hashable {
            var aspect: JobOptions.Aspect?
            var subtitles: JobOptions.Subtitles?
            var captionStyle: JobOptions.CaptionStyle?
            var speakerColors: Bool?
            var smartCrop: Bool?
            var punchIns: Bool?
            var denoise: Bool?
            var tighten: Bool?
            var watermark: String?
        }

        private struct Taken: Decodable {
            let clipId: ClipID
            let revision: Int
        }

        private struct Answer: Decodable { let clip: JobView.ClipView }
        private struct Refusal: Decodable {
            let detail: String
            let hint: String
        }

        func run() async throws {
            do {
                let authorities = try trust.authorities(ProcessInfo.processInfo.environment)
                let key = try ClipCommand.apiKey(inFile: apiKeyFile)
                let cluster = ClusterClient(servers: server, apiKey: key, authorities: authorities)
                let taken = try await ask(cluster)
                let clip = try await wait(for: taken, cluster)
                Terminal.say(json ? try ClusterText.json(clip) : "\(clip.id) is revision \(taken.revision)")
            } catch let error as ClipError {
                Terminal.complain("tijera jobs rerender: \(error.description)")
                throw ExitCode(error.exitCode)
            }
        }

        private func ask(_ cluster: ClusterClient) async throws -> Taken {
            let options = Options(
                aspect: aspect, subtitles: subtitles, captionStyle: captionStyle, speakerColors: speakerColors,
                smartCrop: smartCrop, punchIns: punchIns, denoise: denoise, tighten: tighten, watermark: watermark)
            let request = Request(
                clipId: clip, jobId: clip == nil ? job : nil, ifRevision: ifRevision, start: start, end: end,
                title: title, options: options == Options() ? nil : options)
            guard let body = try ClearedField.encode(request, edits: try readEdits(), clearing: Set(clear)) else {
                throw ClipError.file("\(edits ?? "") holds no JSON object, or says something of what --clear names")
            }
            let path = clip == nil ? "/api/clips" : "/api/jobs/\(AdminClient.escaped(job))/rerender"
            // The key lets the request be repeated at another node without rendering the clip twice.
            let answer = try await cluster.send(
                "POST", path,
                headers: [("Content-Type", "application/json"), ("Idempotency-Key", UUID().uuidString)],
                body: body)
            return try decode(answer)
        }

        /// Looks at the clip until it shows what was asked for.
        private func wait(for taken: Taken, _ cluster: ClusterClient) async throws -> JobView.ClipView {
            while true {
                let clip: Answer = try decode(try await cluster.send("GET", "/api/clips/\(taken.clipId)"))
                if clip.clip.pendingRevision == nil {
                    if clip.clip.revision ?? 0 >= taken.revision { return clip.clip }
                    let why = clip.clip.revisionError.map { "\($0.reason) \($0.hint)" }
                    throw ClipError.jobFailed(why ?? "the clip stays as it was")
                }
                try await cluster.pause(seconds: 0.5)
            }
        }

        private func decode<Value: Decodable>(_ answer: HTTPResponse) throws -> Value {
            guard (200..<300).contains(answer.status) else {
                let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(answer.body))
                let why = refusal.map { "\($0.detail) \($0.hint)" }
                throw ClipError.refused(why ?? "the server answers \(answer.status)")
            }
            return try JSONDecoder().decode(Value.self, from: Data(answer.body))
        }

        private func readEdits() throws -> [UInt8]? {
            guard let edits else { return nil }
            do { return Array(try Data(contentsOf: URL(filePath: edits))) } catch {
                throw ClipError.file("\(edits) cannot be read: \(error.localizedDescription)")
            }
        }

        func validate() throws {
            if server.isEmpty { throw ValidationError("name at least one --server") }
            if clip == nil, start == nil || end == nil {
                throw ValidationError("a clip that is added needs --start and --end")
            }
            if clip == nil, ifRevision != nil {
                throw ValidationError("--if-revision is about a clip that is there: name CLIP")
            }
            if watermark != nil, clear.contains(.watermark) {
                throw ValidationError("--watermark and --clear watermark exclude each other")
            }
        }
    }
}

extension ClearedField: ExpressibleByArgument {}
