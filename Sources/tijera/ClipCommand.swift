import ArgumentParser
import ClipModel
import Foundation
import HTTPClient
import HTTPGateway

/// `tijera clip VIDEO --out DIR`
struct ClipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clip", abstract: "Uploads a video, follows the work, and downloads the finished clips.",
        discussion: """
            Waiting survives a lost connection and the death of the node: another node of the cluster is asked instead.

            Exit codes: 0 clips are in the folder; 1 the job failed; 2 the server refused the request; 3 no node can \
            be reached; 4 the job was cancelled; 5 a file cannot be read or written; 64 wrong usage.
            """)

    @Argument(help: "The video file.")
    var video: String

    @Option(help: "Folder for clips, captions, thumbnails and manifest.json. Made if missing.")
    var out: String

    @Option(help: "A node of the cluster. May be given more than once.")
    var server: [String] = ["http://127.0.0.1:8080"]

    @OptionGroup var trust: TrustChoice

    @Option(help: "How many clips (3 to 10).")
    var count: Int?

    @Option(help: "Length of a clip: short 12-22 s, normal 18-32 s, long 30-45 s.")
    var preset: JobOptions.DurationPreset?

    @Option(help: "Shortest clip in seconds; overrides the preset.")
    var minSeconds: Double?

    @Option(help: "Longest clip in seconds; overrides the preset.")
    var maxSeconds: Double?

    @Option(help: "Spoken language (es, en, pt, ...), or auto.")
    var language: String?

    @Option(help: "9:16, 1:1, 4:5 or 16:9.")
    var aspect: JobOptions.Aspect?

    @Option(help: "off, srt (files beside the clips) or burned (files, and words in the picture).")
    var subtitles: JobOptions.Subtitles?

    @Option(help: "classic, plain, boxed, pop, headline or neon.")
    var captionStyle: JobOptions.CaptionStyle?

    @Flag(help: "Captions in another colour for each speaker, where it is seen who speaks.")
    var speakerColors = false

    @Option(help: "Words that make a moment more interesting, with commas between.")
    var keywords: String?

    @Option(help: "Text drawn small in a corner.")
    var watermark: String?

    @Option(help: "Transcript to use instead of speech recognition (.srt, .vtt or .json).")
    var transcript: String?

    @Flag(help: "Crop the centre instead of following faces.")
    var noSmartCrop = false

    @Flag(help: "Come closer for a sentence now and then in long still shots of one speaker.")
    var punchIns = false

    @Flag(help: "Take steady noise below the voice out of the sound.")
    var denoise = false

    @Flag(help: "Cut long pauses and fillers (\"um\", \"este...\") out of the clips.")
    var tighten = false

    @Option(help: "interactive, or batch: when there is room.")
    var priority: Job.Priority?

    @Option(help: "File with an API key. Otherwise TIJERA_API_KEY is used; without either, the address is the client.")
    var apiKeyFile: String?

    @Flag(help: "Print the finished job as JSON on standard output.")
    var json = false

    func run() async throws {
        let authorities = try trust.authorities(ProcessInfo.processInfo.environment)
        let follower = ClipFollower(
            cluster: ClusterClient(servers: server, apiKey: try apiKey(), authorities: authorities),
            display: ProgressDisplay(isQuiet: json), folder: out)
        do {
            let answer = try await follower.run(
                video: video, transcript: transcript, options: options, priority: priority)
            let files = try await follower.download(answer)
            Terminal.say(json ? try files.json(of: answer.job) : files.summary(of: answer.job))
        } catch let error as ClipError {
            Terminal.complain("tijera clip: \(error.description)")
            throw ExitCode(error.exitCode)
        }
    }

    private func apiKey() throws -> String? { try Self.apiKey(inFile: apiKeyFile) }

    /// Never from the command line, where every user of the machine can read it.
    static func apiKey(inFile apiKeyFile: String?) throws -> String? {
        guard let apiKeyFile else {
            let key = ProcessInfo.processInfo.environment["TIJERA_API_KEY"] ?? ""
            return key.isEmpty ? nil : key
        }
        guard let text = try? String(contentsOfFile: apiKeyFile, encoding: .utf8) else {
            throw ValidationError("cannot read \(apiKeyFile)")
        }
        let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard APIKey(key) != nil else { throw ValidationError("\(apiKeyFile) holds no API key, or not all of it") }
        return key
    }

    private var options: JobOptions {
        var options = JobOptions()
        if let count { options.clipCount = count }
        if let preset { options.durationPreset = preset }
        options.minSeconds = minSeconds
        options.maxSeconds = maxSeconds
        if let language { options.language = language }
        if let aspect { options.aspect = aspect }
        if let subtitles { options.subtitles = subtitles }
        if let captionStyle { options.captionStyle = captionStyle }
        options.speakerColors = speakerColors
        options.smartCrop = !noSmartCrop
        options.punchIns = punchIns
        options.denoise = denoise
        options.tighten = tighten
        options.watermark = watermark
        options.keywords = (keywords ?? "").split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        return options
    }

    func validate() throws {
        if let problem = options.problem { throw ValidationError("\(problem.option) \(problem.detail)") }
        if server.isEmpty { throw ValidationError("name at least one --server") }
    }
}

extension Job.Priority: ExpressibleByArgument {}
extension JobOptions.DurationPreset: ExpressibleByArgument {}
extension JobOptions.Aspect: ExpressibleByArgument {}
extension JobOptions.Subtitles: ExpressibleByArgument {}
extension JobOptions.CaptionStyle: ExpressibleByArgument {}

/// Why `tijera clip` could not do its work, with the exit code that says so.
enum ClipError: Error, CustomStringConvertible {
    case jobFailed(String)
    case refused(String)
    case unreachable(String)
    case cancelled
    case file(String)

    var exitCode: Int32 {
        switch self {
        case .jobFailed: 1
        case .refused: 2
        case .unreachable: 3
        case .cancelled: 4
        case .file: 5
        }
    }

    var description: String {
        switch self {
        case .jobFailed(let why), .refused(let why), .unreachable(let why), .file(let why): why
        case .cancelled: "the job was cancelled"
        }
    }
}
