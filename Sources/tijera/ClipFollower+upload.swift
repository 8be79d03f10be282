import ClipModel
import Foundation
import HTTPClient

/// Sends the video in chunks, each to whichever node answers: what a node that died had stored is not sent again.
extension ClipFollower {
    /// Held in memory, and the most that is sent twice. In bytes.
    static let chunkBytes = 8 << 20

    /// Nil when the nodes are of a release that takes uploads as forms only.
    func uploadInChunks(_ video: String) async throws -> UploadID? {
        let file: FileHandle
        do { file = try FileHandle(forReadingFrom: URL(filePath: video)) } catch {
            throw ClipError.file("cannot read \(video): \(error.localizedDescription)")
        }
        defer { try? file.close() }  // Nothing was written to it.
        let size = Int64(try file.seekToEnd())
        let name = Data(URL(filePath: video).lastPathComponent.utf8).base64EncodedString()
        // Repeated blindly: a session whose address was lost on its way expires.
        let begun = try await cluster.send(
            "POST", "/api/uploads",
            headers: [
                ("Tus-Resumable", "1.0.0"), ("Upload-Length", "\(size)"), ("Upload-Metadata", "filename \(name)"),
            ])
        if begun.status == 404 || begun.status == 405 { return nil }
        guard begun.status == 201, let location = begun.headers["location"],
            let id = UploadID(String(location.split(separator: "/").last ?? ""))
        else { throw ClipError.refused(HTTPAnswer(status: begun.status, body: begun.body).problem) }
        var standing: Int64 = 0
        while standing < size { standing = try await sendChunk(of: file, size, to: location, at: standing) }
        return id
    }

    /// Sends one chunk; answers with where the upload stands then.
    private func sendChunk(
        of file: FileHandle, _ size: Int64, to location: String, at known: Int64
    ) async throws -> Int64 {
        // Nil: it has to be asked, because a request came to nothing.
        var standing: Int64? = known
        return try await cluster.retrying { server in
            let before = standing
            standing = nil
            let offset = if let before { before } else { try await look(server + location) }
            guard offset < size else { return offset }
            let chunk = try read(file, at: offset)
            let display = display
            let body = Gathered()
            let answer = try await cluster.http.transfer(
                HTTPRequest(
                    "PATCH", server + location,
                    headers: cluster.headers([
                        ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "\(offset)"),
                        ("Content-Type", "application/offset+octet-stream"),
                    ]), body: chunk),
                progress: { progress in
                    let sent = offset + progress.sentBytes
                    display.show(
                        "Uploading", fraction: Double(sent) / Double(size),
                        detail: "\(Terminal.size(sent)) of \(Terminal.size(size))")
                }, sink: body.append)
            if answer.status == 204, let reached = answer.headers["upload-offset"].flatMap({ Int64($0) }) {
                return reached
            }
            try refuse(answer.status, body.bytes, server)
            throw ClipError.refused(HTTPAnswer(status: answer.status, body: body.bytes).problem)
        }
    }

    private func look(_ address: String) async throws -> Int64 {
        let headers = cluster.headers([("Tus-Resumable", "1.0.0")])
        let answer = try await cluster.http.send(HTTPRequest("HEAD", address, headers: headers))
        if answer.status == 200, let offset = answer.headers["upload-offset"].flatMap({ Int64($0) }) { return offset }
        try refuse(answer.status, answer.body, address)
        throw ClipError.refused(HTTPAnswer(status: answer.status, body: answer.body).problem)
    }

    /// A node that stops or has lost its database, and a session that another request held: the next try may work.
    private func refuse(_ status: Int, _ body: [UInt8], _ server: String) throws {
        if status == 503 || status == 409 {
            throw HTTPClientError(.unreachable, "\(server) answers \(HTTPAnswer(status: status, body: body).problem)")
        }
    }

    private func read(_ file: FileHandle, at offset: Int64) throws -> [UInt8] {
        do {
            try file.seek(toOffset: UInt64(offset))
            guard let chunk = try file.read(upToCount: Self.chunkBytes), !chunk.isEmpty else {
                throw ClipError.file("the video became shorter while it was sent")
            }
            return Array(chunk)
        } catch let error as ClipError {
            throw error
        } catch {
            throw ClipError.file("cannot read the video: \(error.localizedDescription)")
        }
    }
}
