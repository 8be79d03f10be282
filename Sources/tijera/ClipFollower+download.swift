import ClipModel
import Foundation
import HTTPClient
import Jobs
import Synchronization

/// The files of a finished job on this machine.
struct DownloadedFiles {
    struct ClipFiles: Encodable {
        let id: ClipID
        let video: String
        let srt: String?
        let vtt: String?
        let thumbnail: String?
    }

    let folder: String
    let manifest: String
    let clips: [ClipFiles]
    let page: String

    func json(of job: JobView) throws -> String {
        struct Report: Encodable {
            let job: JobView
            let files: [ClipFiles]
            let manifest: String
            let page: String
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(
            decoding: try encoder.encode(Report(job: job, files: clips, manifest: manifest, page: page)), as: UTF8.self)
    }

    func summary(of job: JobView) -> String {
        var lines: [String] = []
        for (clip, files) in zip(job.clips.filter(\.hasVideo), clips) {
            lines.append("\(files.video)")
            lines.append(
                "    \(Terminal.duration(clip.durationSeconds)) from \(clock(clip.start)), "
                    + "score \(Int(clip.score)): \(clip.title)"
            )
            lines.append("    \(clip.reason)")
            if let tags = clip.hashtags, !tags.isEmpty {
                lines.append("    " + tags.map { "#" + $0 }.joined(separator: " "))
            }
            for repair in clip.figures?.repairs ?? [] { lines.append("    made otherwise: \(repair.text)") }
            for flag in clip.figures?.flags ?? [] { lines.append("    note: \(flag.text)") }
        }
        for note in job.notes { lines.append("note: \(note.text)") }
        if let seconds = job.tookSeconds ?? job.startedAt.flatMap({ job.endedAt?.seconds(since: $0) }) {
            let took = Terminal.duration(seconds)
            let nodes = Set(job.stages.compactMap { $0.node?.rawValue }).sorted().joined(separator: ", ")
            lines.append("\(clips.count) clips in \(took), made on \(nodes)")
        }
        lines.append("manifest: \(manifest)")
        lines.append("page: \(page)")
        return lines.joined(separator: "\n")
    }

    private func clock(_ seconds: Double) -> String {
        let whole = Int(seconds)
        let pad = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return whole < 3600
            ? "\(whole / 60):\(pad(whole % 60))" : "\(whole / 3600):\(pad(whole % 3600 / 60)):\(pad(whole % 60))"
    }
}

extension ClipFollower {
    func download(_ answer: JobAnswer) async throws -> DownloadedFiles {
        let job = answer.job
        let ready = answer.clips.filter { $0.links.download != nil }
        var files: [DownloadedFiles.ClipFiles] = []
        for (number, clip) in ready.enumerated() {
            display.show("Downloading", fraction: Double(number) / Double(max(ready.count, 1)))
            guard let video = try await fetch(ifAny: clip.links.download, as: "clip-\(number + 1).mp4") else {
                continue
            }
            files.append(
                DownloadedFiles.ClipFiles(
                    id: clip.id, video: video,
                    srt: try await fetch(ifAny: clip.links.srt, as: "clip-\(number + 1).srt"),
                    vtt: try await fetch(ifAny: clip.links.vtt, as: "clip-\(number + 1).vtt"),
                    thumbnail: try await fetch(ifAny: clip.links.thumbnail, as: "clip-\(number + 1).jpg")))
        }
        let manifest = try await fetch("/api/jobs/\(job.id)/manifest", as: "manifest.json")
        display.show("Downloading", fraction: 1)
        display.finish()
        return DownloadedFiles(
            folder: folder, manifest: manifest, clips: files, page: "\(cluster.server)/#/jobs/\(job.id)")
    }

    /// Nil: there is no such file.
    private func fetch(ifAny link: String?, as name: String) async throws -> String? {
        guard let link else { return nil }
        return try await fetch(link, as: name)
    }

    /// Streams one file to disk under a temporary name, and gives it its own when it is whole.
    private func fetch(_ path: String, as name: String) async throws -> String {
        let target = URL(filePath: folder).appending(path: name).path
        let partial = target + ".part"
        let http = cluster.http
        try await cluster.retrying { server in
            guard FileManager.default.createFile(atPath: partial, contents: nil),
                let file = FileHandle(forWritingAtPath: partial)
            else { throw ClipError.file("cannot write to \(partial)") }
            let written = FileSink(file)
            let head: HTTPResponseHead
            do {
                head = try await get(server + path, with: http, into: written)
            } catch let error as HTTPClientError where error.code == .stopped {
                // Only the sink stops a transfer, and only when the disk does not take the bytes.
                throw ClipError.file("cannot write \(name): \(written.close() ?? "the file took no more bytes")")
            }
            if head.status == 503 { throw HTTPClientError(.unreachable, "\(server) answers 503") }
            if let failure = written.close() { throw ClipError.file("cannot write \(name): \(failure)") }
            // Without its query: who reads the output should not be able to download.
            guard head.status == 200 else {
                throw ClipError.refused("\(path.prefix { $0 != "?" }) answers \(head.status)")
            }
        }
        do {
            _ = try? FileManager.default.removeItem(atPath: target)  // Not there the first time.
            try FileManager.default.moveItem(atPath: partial, toPath: target)
        } catch {
            throw ClipError.file("cannot write \(target): \(error.localizedDescription)")
        }
        return target
    }

    /// A node may send whoever downloads on to the service that keeps the file. Nothing but its address goes along, and
    /// no key.
    private func get(
        _ address: String, with http: HTTPClient, into written: FileSink
    ) async throws(HTTPClientError) -> HTTPResponseHead {
        let head = try await http.transfer(HTTPRequest("GET", address, headers: cluster.headers())) { status, bytes in
            status == 307 || written.append(bytes)
        }
        guard head.status == 307, let elsewhere = head.headers["location"] else { return head }
        do {
            return try await http.transfer(HTTPRequest("GET", elsewhere), sink: written.append)
        } catch let error where error.code == .untrusted && http.authoritiesPath != nil {
            // The nodes have authorities of their own; the service may be one of the internet, known to the system.
            var known = http
            known.authoritiesPath = nil
            return try await known.transfer(HTTPRequest("GET", elsewhere), sink: written.append)
        }
    }
}

/// Bytes gathered from a transfer's thread.
final class Gathered: Sendable {
    private let storage = Mutex<[UInt8]>([])
    static let bytesMax = 1 << 20

    var bytes: [UInt8] { storage.withLock { $0 } }
    func append(_ more: [UInt8]) -> Bool {
        storage.withLock { storage in
            storage += more
            return storage.count <= Self.bytesMax
        }
    }
}

/// A file that a transfer's thread writes to.
final class FileSink: Sendable {
    private let file: FileHandle
    private let failure = Mutex<String?>(nil)

    init(_ file: FileHandle) { self.file = file }

    func append(_ bytes: [UInt8]) -> Bool {
        do {
            try file.write(contentsOf: Data(bytes))
            return true
        } catch {
            failure.withLock { $0 = error.localizedDescription }
            return false
        }
    }

    /// Closes the file, and says why the bytes are not all in it.
    func close() -> String? {
        do {
            try file.close()
        } catch {
            failure.withLock { $0 = $0 ?? error.localizedDescription }
        }
        return failure.withLock { $0 }
    }
}
