import Crypto
import Foundation
import Logging
import Synchronization

/// Whether the bucket's lifecycle has been looked at since this process began.
final class S3Lifecycle: Sendable {
    private let isDone = Atomic<Bool>(false)
    var isSettled: Bool { isDone.load(ordering: .relaxed) }
    func settle() { isDone.store(true, ordering: .relaxed) }
}

extension S3BlobStore {
    /// Has the service drop uploads in parts that nobody ended, also when no node lives any more to sweep them. A
    /// bucket that has rules keeps them as they are: whoever writes one writes them all.
    func settleLifecycle() async throws(S3Trouble) {
        guard configuration.setsLifecycle, !lifecycle.isSettled else { return }
        do throws(S3Trouble) { try await lookAtLifecycle() } catch {
            // Nodes sweep such uploads themselves, so a service that takes no such rule, or not from us, is no reason
            // not to start.
            guard [.refused, .denied, .credentials].contains(error.kind) else { throw error }
            client.logger.warning(
                "the bucket's lifecycle could not be settled: only nodes abort uploads in parts",
                metadata: ["bucket": "\(configuration.bucket)", "error": "\(error)"])
        }
        lifecycle.settle()
    }

    private func lookAtLifecycle() async throws(S3Trouble) {
        let rules: [S3Document]
        do throws(S3Trouble) {
            let answer = try await client.send(S3Client.Request(method: "GET", query: [("lifecycle", "")]))
            rules = answer.document?.all("Rule") ?? []
        } catch {
            // No rules are told of as something that is missing.
            guard error.kind == .missing else { throw error }
            rules = []
        }
        if rules.isEmpty {
            try await writeLifecycle()
        } else if !rules.contains(where: abandonsOurUploads) {
            client.logger.warning(
                "the bucket has lifecycle rules and none that aborts uploads in parts: add it there",
                metadata: ["bucket": "\(configuration.bucket)", "rules": "\(rules.count)"])
        }
    }

    private func abandonsOurUploads(_ rule: S3Document) -> Bool {
        let prefix = rule["Prefix"] ?? rule.all("Filter").first?["Prefix"] ?? ""
        return rule["Status"] == "Enabled" && !rule.all("AbortIncompleteMultipartUpload").isEmpty
            && keyPrefix.hasPrefix(prefix)
    }

    private func writeLifecycle() async throws(S3Trouble) {
        // Days are all that the service knows; nothing is dropped before a node would.
        let days = (configuration.staleSeconds + 86_399) / 86_400
        let rule =
            "<ID>tijera</ID><Filter><Prefix>\(S3Document.escaped(keyPrefix))</Prefix></Filter><Status>Enabled</Status>"
            + "<AbortIncompleteMultipartUpload><DaysAfterInitiation>\(max(1, days))</DaysAfterInitiation>"
            + "</AbortIncompleteMultipartUpload>"
        let body = Array(
            ("<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\(rule)</Rule>"
                + "</LifecycleConfiguration>").utf8)
        // Older services ask for this digest here and know no other.
        let digest = Data(Insecure.MD5.hash(data: body)).base64EncodedString()
        _ = try await client.send(
            S3Client.Request(
                method: "PUT", query: [("lifecycle", "")], headers: [("content-md5", digest)], body: .bytes(body)))
    }
}
