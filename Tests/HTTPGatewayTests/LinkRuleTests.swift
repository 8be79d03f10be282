import ClipModel
import HTTPGateway
import Jobs
import Store
import Synchronization
import Testing

/// What a signature says, whoever asks.
struct LinkSignatureTests {
    static let clip = ClipID("clip_06f2k3m9x4q8t1v5w7y0z2a6b8_0")!
    static let job = JobID("job_06f2k3m9x4q8t1v5w7y0z2a6b8")!
    static let expires: Int64 = 1_700_003_600
    static let key = LinkKey(
        id: "00000000000000ab", secret: String(repeating: "0123456789abcdef", count: 4), createdAt: before(3600))
    static let targets: [DownloadTarget] = [
        .video(clip), .subtitles(clip, .srt), .subtitles(clip, .vtt), .thumbnail(clip), .archive(job),
        .video(ClipID(job: job, ordinal: 1)),
    ]

    static func before(_ seconds: Double) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: expires * 1000).advanced(bySeconds: -seconds)
    }

    /// Made with Python's hmac.
    @Test(
        arguments: [
            (.video(clip), "tqtBiteOPA9-PVn19Bd27CMousWGuVMNImPwnL2APWg"),
            (.subtitles(clip, .vtt), "zocG5nBrxYZeKjVNybK-mBwqKUaNpEZskUu7_yt1b2U"),
            (.thumbnail(clip), "j6Eh_8SKi9efh03VHpqJFmH1VWfnRm7-mfcSo8jL3AE"),
            (.archive(job), "Y8LtpJkrzt9m5VJfnWpAqUEKtvmMTLvEN0X6eMkRuNw"),
        ] as [(DownloadTarget, String)])
    func `the canonical text is what it says`(target: DownloadTarget, text: String) {
        let signature = LinkSignature(for: target, until: Self.expires, with: Self.key)
        #expect(signature.text == text)
        #expect(signature.query == "expires=1700003600&kid=00000000000000ab&signature=\(text)")
        #expect(signature.verdict(for: target, with: Self.key, at: Self.before(3600)) == .good)
    }

    @Test func `a signature is good for one file`() {
        for signed in Self.targets {
            let signature = LinkSignature(for: signed, until: Self.expires, with: Self.key)
            for asked in Self.targets {
                let verdict = signature.verdict(for: asked, with: Self.key, at: Self.before(1))
                #expect(verdict == (signed == asked ? .good : .invalid))
            }
        }
    }

    @Test func `a signature ends with its second, and never comes back by a later one`() throws {
        let signature = LinkSignature(for: .video(Self.clip), until: Self.expires, with: Self.key)
        for (before, verdict) in [
            (0.001, .good), (0, .expired), (-0.001, .expired), (-1_000_000, .expired),
        ] as [(Double, LinkSignature.Verdict)] {
            #expect(signature.verdict(for: .video(Self.clip), with: Self.key, at: Self.before(before)) == verdict)
        }
        let longer = try #require(
            LinkSignature(expires: "\(Self.expires + 60)", key: Self.key.id, signature: signature.text))
        #expect(longer.verdict(for: .video(Self.clip), with: Self.key, at: Self.before(0)) == .invalid)
    }

    @Test func `no bit of a signature may be another`() throws {
        let signature = LinkSignature(for: .video(Self.clip), until: Self.expires, with: Self.key)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let good = Array(signature.text)
        // The last character holds four bits of the signature and two that mean nothing.
        for place in 0..<42 {
            let value = try #require(alphabet.firstIndex(of: good[place]))
            for bit in 0..<6 {
                var text = good
                text[place] = alphabet[value ^ (1 << bit)]
                let other = try #require(
                    LinkSignature(expires: "\(Self.expires)", key: Self.key.id, signature: String(text)))
                #expect(other.verdict(for: .video(Self.clip), with: Self.key, at: Self.before(1)) == .invalid)
            }
        }
    }

    @Test func `another secret signs nothing, and a key that is gone ends what it signed`() {
        let signature = LinkSignature(for: .video(Self.clip), until: Self.expires, with: Self.key)
        let other = LinkKey(id: Self.key.id, secret: String(repeating: "f", count: 64), createdAt: Self.before(0))
        #expect(signature.verdict(for: .video(Self.clip), with: other, at: Self.before(1)) == .invalid)
        #expect(signature.verdict(for: .video(Self.clip), with: nil, at: Self.before(1)) == .invalid)
        #expect(signature.verdict(for: .video(Self.clip), with: nil, at: Self.before(0)) == .expired)
    }

    @Test func `a clock that is ahead makes no link that outlives its key`() {
        let week = Double(LinkSignature.secondsRange.upperBound), skew = Double(LinkSignature.skewSecondsMax)
        let signature = LinkSignature(for: .video(Self.clip), until: Self.expires, with: Self.key)
        for (before, verdict) in [
            (week, .good), (week + skew, .good), (week + skew + 1, .invalid), (week * 50, .invalid),
        ] as [(Double, LinkSignature.Verdict)] {
            #expect(signature.verdict(for: .video(Self.clip), with: Self.key, at: Self.before(before)) == verdict)
        }
    }

    @Test(
        arguments: [
            (nil, "k", "s"), ("1", nil, "s"), ("1", "k", nil), ("", "k", "s"), ("-1", "k", "s"), ("1e9", "k", "s"),
            ("+1", "k", "s"), ("1", "k", "short"), ("9999999999999999999", "k", "s"), (" 1", "k", "s"),
        ] as [(String?, String?, String?)])
    func `what is no signature is none`(expires: String?, key: String?, signature: String?) {
        let text = signature == "s" ? String(repeating: "A", count: 43) : signature
        #expect(LinkSignature(expires: "1", key: "k", signature: String(repeating: "A", count: 43)) != nil)
        #expect(LinkSignature(expires: expires, key: key, signature: text) == nil)
    }

    @Test(arguments: ["+", "/", "=", "é", " ", "%"])
    func `a signature has the characters of Base64url only`(character: String) {
        let good = LinkSignature(for: .video(Self.clip), until: Self.expires, with: Self.key).text
        let text = String(good.dropLast(character.utf8.count)) + character
        let signature = LinkSignature(expires: "\(Self.expires)", key: Self.key.id, signature: text)
        #expect(signature?.verdict(for: .video(Self.clip), with: Self.key, at: Self.before(1)) == .invalid)
    }
}

struct LinkRequestTests {
    @Test func `what is left out has its default`() throws {
        let clip = LinkSignatureTests.clip
        let request = try LinkRequest(json: Array(#"{"file": "video"}"#.utf8))
        #expect(request.seconds == 3600 && request.target(in: clip) == .video(clip))
        let subtitles = try LinkRequest(json: Array(#"{"file": "subtitles", "expiresInSeconds": 60}"#.utf8))
        #expect(subtitles.seconds == 60 && subtitles.target(in: clip) == .subtitles(clip, .srt))
        let captions = try LinkRequest(
            json: Array(#"{"file": "subtitles", "format": "vtt", "expiresInSeconds": 604800}"#.utf8))
        #expect(captions.seconds == 604_800 && captions.target(in: clip).address.hasSuffix("/subtitles?format=vtt"))
        #expect(try LinkRequest(json: Array(#"{"file": "thumbnail"}"#.utf8)).target(in: clip) == .thumbnail(clip))
    }

    @Test(arguments: [
        ("[]", "malformed_json"), ("{", "malformed_json"), ("{}", "invalid_file"), (#"{"file": null}"#, "invalid_file"),
        (#"{"file": "archive"}"#, "invalid_file"), (#"{"file": 1}"#, "invalid_file"),
        (#"{"file": "subtitles", "format": "ass"}"#, "invalid_format"),
        (#"{"file": "video", "expiresInSeconds": 59}"#, "invalid_expiry"),
        (#"{"file": "video", "expiresInSeconds": 604801}"#, "invalid_expiry"),
        (#"{"file": "video", "expiresInSeconds": "60"}"#, "invalid_expiry"),
        (#"{"file": "video", "expiresInSeconds": null}"#, "invalid_expiry"),
        (#"{"file": "video", "expiresInSeconds": 60.5}"#, "invalid_expiry"),
        (#"{"file": "video", "forever": true}"#, "unknown_field"),
    ])
    func `what is wrong is named`(json: String, code: String) {
        let problem = #expect(throws: Problem.self) { try LinkRequest(json: Array(json.utf8)) }
        #expect(problem?.code == code)
    }
}

/// The keys as nodes remember them. Seconds pass when a test says so.
struct LinkKeyringTests {
    private final class Time: Sendable {
        private let seconds = Mutex(100.0)
        var elapsed: Double { seconds.withLock { $0 } }
        func pass(_ more: Double) { seconds.withLock { $0 += more } }
    }

    /// Counts how often it is asked, and may answer late.
    private actor CountedBook: LinkKeyBook {
        let base: InMemoryStore
        var readings = 0
        private var held: [CheckedContinuation<Void, Never>] = []
        private var holds = false

        init(_ base: InMemoryStore) { self.base = base }

        func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey] {
            readings += 1
            let keys = await base.linkKeys(orBegin: draft)
            if holds { await withCheckedContinuation { held.append($0) } }
            return keys
        }

        func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey] {
            await base.rotateLinkKeys(to: draft, revoking: revoking)
        }

        func hold() { holds = true }

        var isHolding: Bool { !held.isEmpty }

        func release() {
            holds = false
            for continuation in held { continuation.resume() }
            held = []
        }
    }

    private func ring(_ book: any LinkKeyBook, _ time: Time) -> LinkKeyring {
        LinkKeyring(book: book, chance: .system(), elapsed: { time.elapsed })
    }

    @Test func `one reading serves for a while, and nodes agree`() async throws {
        let time = Time(), book = CountedBook(InMemoryStore(now: { .sample }))
        let one = ring(book, time), two = ring(book, time)
        let key = try await one.signing()
        for _ in 0..<10 { #expect(try await one.key(key.id) == key) }
        #expect(await book.readings == 1)
        #expect(try await two.signing() == key)
        time.pass(LinkKeyring.ageSecondsMax)
        #expect(try await one.signing() == key)
        #expect(await book.readings == 3)
    }

    @Test func `a key of another node is good at once, one that nobody knows costs little`() async throws {
        let time = Time(), book = CountedBook(InMemoryStore(now: { .sample }))
        let one = ring(book, time), two = ring(book, time)
        let old = try await one.signing()
        #expect(try await two.signing() == old)
        let fresh = try #require(try await one.rotate(revoking: false).first)
        #expect(try await one.signing() == fresh)
        #expect(try await two.key(fresh.id)?.id == fresh.id)
        #expect(try await two.key(old.id)?.retiredAt != nil)
        let before = await book.readings
        for _ in 0..<100 { #expect(try await two.key("0000000000000000") == nil) }
        #expect(await book.readings <= before + 1)
        time.pass(LinkKeyring.strangerSecondsMin)
        for _ in 0..<100 { #expect(try await two.key("0000000000000000") == nil) }
        #expect(await book.readings <= before + 2)
    }

    @Test func `what was revoked ends here at once and elsewhere within the age`() async throws {
        let time = Time(), book = CountedBook(InMemoryStore(now: { .sample }))
        let one = ring(book, time), two = ring(book, time)
        let old = try await one.signing()
        #expect(try await two.key(old.id) == old)
        #expect(try await one.rotate(revoking: true).count == 1)
        #expect(try await one.key(old.id) == nil)
        time.pass(LinkKeyring.ageSecondsMax)
        #expect(try await two.key(old.id) == nil)
    }

    @Test func `a reading that was under way during a rotation does not undo it`() async throws {
        let time = Time(), book = CountedBook(InMemoryStore(now: { .sample }))
        let ring = ring(book, time)
        let old = try await ring.signing()
        time.pass(LinkKeyring.ageSecondsMax)
        await book.hold()
        async let late = ring.signing()
        while await !book.isHolding { await Task.yield() }
        time.pass(1)
        let fresh = try #require(try await ring.rotate(revoking: true).first)
        await book.release()
        #expect(try await late == fresh && fresh.id != old.id)
        #expect(try await ring.key(old.id) == nil)
        #expect(try await ring.signing() == fresh)
    }
}
