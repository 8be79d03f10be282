import ClipModel
import Foundation
import HTTPGateway
import Testing

/// The headers that differ from one kind of answer to another, and that docs/security.md tells of them what is so.
@Suite(.timeLimit(.minutes(5))) struct HeaderKindTests {
    /// A row of the table: what it is called there, how to ask for it, and what the answer says.
    private struct Kind {
        let name: String
        var method = "GET"
        let path: String
        let status: Int
        let isPage: Bool
        let cache: String
        let tag: Tag

        enum Tag: String { case strong, weak, none }

        var row: String {
            "| \(name) | \(isPage ? "page" : "API") | `\(cache)` | \(tag == .none ? "" : tag.rawValue) |"
        }
    }

    private static func kinds(_ job: JobID) -> [Kind] {
        let clip = ClipID(job: job, ordinal: 0)
        return [
            Kind(name: "page", path: "/", status: 200, isPage: true, cache: "no-cache", tag: .strong),
            Kind(
                name: "scripts, styles, pictures of the page", path: "/assets/app.js", status: 200, isPage: true,
                cache: "no-cache", tag: .strong),
            Kind(
                name: "JSON that was asked for", path: "/api/jobs/\(job)", status: 200, isPage: false,
                cache: "private, no-cache", tag: .weak),
            Kind(
                name: "clips, captions, thumbnails", path: "/api/clips/\(clip)/download", status: 200, isPage: false,
                cache: "private, no-cache", tag: .strong),
            Kind(
                name: "all clips as ZIP", path: "/api/jobs/\(job)/archive", status: 200, isPage: false,
                cache: "no-store", tag: .none),
            Kind(
                name: "event streams", path: "/api/jobs/\(job)/events", status: 200, isPage: false,
                cache: "no-store", tag: .none),
            Kind(name: "metrics", path: "/api/metrics", status: 200, isPage: false, cache: "no-store", tag: .none),
            Kind(
                name: "answers to OPTIONS", method: "OPTIONS", path: "/api/jobs", status: 204, isPage: false,
                cache: "no-store", tag: .none),
            Kind(name: "errors", path: "/api/jobs/none", status: 404, isPage: false, cache: "no-store", tag: .none),
        ]
    }

    @Test func `each kind of answer has the policy and the caching that are written down`() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/security.md"), encoding: .utf8)
        try await Door.open { door in
            let job = try await door.finishedJob(videos: [[1, 2, 3, 4]])
            for kind in Self.kinds(job) {
                let reply = try await door.client.send(kind.method, kind.path)
                let place = "\(kind.name): \(reply.status) \(reply.headers)"
                #expect(reply.status == kind.status, "\(place)")
                let policy = reply.headers["content-security-policy"] ?? ""
                #expect(policy.contains("script-src 'self'") == kind.isPage, "\(place)")
                #expect(reply.headers["cache-control"] == kind.cache, "\(place)")
                let tag: Kind.Tag = reply.headers["etag"].map { $0.hasPrefix("W/") ? .weak : .strong } ?? .none
                #expect(tag == kind.tag, "\(place)")
                #expect(page.contains("\n\(kind.row)\n"), "docs/security.md does not say: \(kind.row)")
            }
        }
    }
}
