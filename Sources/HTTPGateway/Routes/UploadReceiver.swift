import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Media

/// Takes the parts of an upload form in as they arrive: the video goes to disk, the transcript to memory.
///
/// Used by one request. Dropped without `finish` it leaves nothing under the name of the upload.
final class UploadReceiver {
    private let jobs: JobService
    private let id: UploadID
    private let videoBytesMax: Int64
    private let transcriptBytesMax: Int
    private var parser: MultipartParser
    private var writer: (any BlobWriter)?
    private var fileName = ""
    private var transcript: (format: SidecarTranscript.Format, bytes: [UInt8])?
    private var current = Part.none

    private enum Part { case none, video, transcript }

    init(jobs: JobService, parser: MultipartParser, videoBytesMax: Int64, transcriptBytesMax: Int) {
        self.jobs = jobs
        self.parser = parser
        self.videoBytesMax = videoBytesMax
        self.transcriptBytesMax = transcriptBytesMax
        id = jobs.newUploadID()
    }

    func receive(_ bytes: some Collection<UInt8>) async throws {
        for event in try parser.feed(bytes) {
            switch event {
            case .partBegan(let part): try await begin(part)
            case .content(let content): try await append(content)
            case .partEnded: current = .none
            }
        }
    }

    /// The body will not end well: forgets what arrived.
    func discard() async { await writer?.discard() }

    /// The body has ended: makes what arrived an upload.
    func finish() async throws -> Upload {
        try parser.finish()
        guard let writer else {
            throw Problem(
                .badRequest, code: "file_missing", detail: "The form has no part called `file`.",
                hint: "Send the video as `file`.", field: "file")
        }
        guard writer.bytesWritten > 0 else {
            throw Problem(
                .unprocessableContent, code: "empty_file", detail: "The video has no bytes.",
                hint: "Check that the file is not empty and send it again.", field: "file")
        }
        if let transcript { try await Self.check(transcript.bytes, transcript.format) }
        let facts = try await writer.commit()
        var sidecar: SidecarTranscript?
        if let transcript {
            let name = jobs.transcriptBlobName(of: id)
            do {
                let stored = try await jobs.blobs.put(transcript.bytes, as: name)
                sidecar = SidecarTranscript(format: transcript.format, blob: name, sha256: stored.sha256)
            } catch {
                // The disk is in trouble already; the sweeper finds what this leaves.
                try? await jobs.blobs.remove([jobs.blobName(of: id)])
                throw error
            }
        }
        return try await jobs.register(id, fileName: fileName, facts: facts, transcript: sidecar)
    }

    /// Reads the transcript as the job will: whoever sent one that cannot be read learns the line now and not after the
    /// job was queued. Two hours of cues take some milliseconds, too long for a thread that serves others.
    @concurrent
    private static func check(_ bytes: [UInt8], _ format: SidecarTranscript.Format) async throws(Problem) {
        do { _ = try SidecarParser.parse(bytes, format: format) } catch {
            throw Problem(
                .unprocessableContent, code: error.code, detail: error.reason, hint: error.hint, field: "transcript")
        }
    }

    private func begin(_ part: MultipartPart) async throws {
        switch part.name {
        case "file":
            guard writer == nil else { throw twice("file") }
            fileName = DisplayName.normalise(part.fileName)
            writer = try await jobs.blobs.writer(for: jobs.blobName(of: id), limitBytes: videoBytesMax)
            current = .video
        case "transcript":
            guard transcript == nil else { throw twice("transcript") }
            transcript = (try format(of: part), [])
            current = .transcript
        default:
            throw Problem(
                .badRequest, code: "unknown_part", detail: "The form has a part that means nothing here.",
                hint: "Send `file` and, if you like, `transcript`; options belong to POST /api/jobs.",
                allowed: ["file", "transcript"])
        }
    }

    private func append(_ content: ArraySlice<UInt8>) async throws {
        switch current {
        case .none: break
        case .video:
            do throws(BlobError) { try await writer?.write(content) } catch {
                guard error.code == .tooLarge else { throw error }
                throw Problem.uploadTooLarge(limitBytes: videoBytesMax)
            }
        case .transcript:
            transcript?.bytes += content
            guard (transcript?.bytes.count ?? 0) <= transcriptBytesMax else {
                throw Problem(
                    .contentTooLarge, code: "transcript_too_large",
                    detail: "The transcript is larger than \(transcriptBytesMax) bytes.",
                    hint: "Send the transcript of this video only.", field: "transcript")
            }
        }
    }

    private func format(of part: MultipartPart) throws(Problem) -> SidecarTranscript.Format {
        let ending = part.fileName.flatMap { $0.split(separator: ".").last }?.lowercased()
        if let format = ending.flatMap({ SidecarTranscript.Format(rawValue: $0) }) { return format }
        switch part.contentType.map({ HeaderValue($0).value }) {
        case "application/x-subrip", "text/srt": return .srt
        case "text/vtt": return .vtt
        case "application/json": return .json
        default:
            throw Problem(
                .unprocessableContent, code: "transcript_format_unknown",
                detail: "The transcript is neither SRT, VTT nor JSON by its name.",
                hint: "Name the file .srt, .vtt or .json.", field: "transcript",
                allowed: SidecarTranscript.Format.allCases.map(\.rawValue))
        }
    }

    private func twice(_ field: String) -> Problem {
        Problem(
            .badRequest, code: "part_sent_twice", detail: "The form has more than one part called `\(field)`.",
            hint: "Send one video in a form.", field: field)
    }
}
