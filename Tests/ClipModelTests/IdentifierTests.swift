import ClipModel
import Testing

@Suite struct IdentifierTests {
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            // SplitMix64 (Steele, Lea, Flood 2014).
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test func `an identifier is read back as it was written`() {
        var random = Generator(state: 1)
        for milliseconds in stride(from: Int64(0), through: 4_000_000_000_000, by: 99_999_999_999) {
            let id = JobID(at: Timestamp(millisecondsSinceEpoch: milliseconds), using: &random)
            #expect(JobID(id.rawValue) == id)
            #expect(id.madeAt == Timestamp(millisecondsSinceEpoch: milliseconds))
            #expect(UploadID(id.rawValue) == nil, "another kind")
        }
    }

    @Test func `identifiers sort by the time they were made`() {
        var random = Generator(state: 2)
        let ids = (0..<200).map { JobID(at: Timestamp(millisecondsSinceEpoch: 1_700_000_000_000 + $0), using: &random) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
    }

    @Test(arguments: [
        "", "job_", "job_0123456789abcdefghjkmnpqr", "job_../../etc/passwd/0123456789",
        "JOB_0123456789abcdefghjkmnpqrs",
        "job_0123456789abcdefghjkmnpqr\u{0}", "job_0123456789abcdefghjkmnpqrst", "job_0123456789abcdefghilmnopq",
    ])
    func `text that is not an identifier is refused`(text: String) {
        #expect(JobID(text) == nil)
    }

    @Test func `a clip's identifier holds its job`() throws {
        var random = Generator(state: 3)
        let job = JobID(at: Timestamp(millisecondsSinceEpoch: 1), using: &random)
        let clip = ClipID(job: job, ordinal: 12)
        #expect(ClipID(clip.rawValue) == clip)
        for wrong in ["clip_\(job.ulid)_01", "clip_\(job.ulid)_-1", "clip_\(job.ulid)", "clip_\(job.ulid)_1000", "x"] {
            #expect(ClipID(wrong) == nil, "\(wrong)")
        }
    }

    @Test(arguments: [
        "../x", "/x", "x/", "a//b", ".hidden", "a/.b", "a b", "ñ", "a\nb", "", String(repeating: "a", count: 513),
    ])
    func `a blob's name cannot leave its directory`(name: String) {
        #expect(BlobName(name) == nil)
    }

    @Test(arguments: ["a", "a/b.mp4", "results/01/x-1/2/file_3.json", "A.B"])
    func `a blob's name may have plain segments`(name: String) {
        #expect(BlobName(name)?.rawValue == name)
    }

    @Test(arguments: ["", "Eu", "eu_1", "eu 1", String(repeating: "a", count: 64)])
    func `names of nodes and regions are labels`(text: String) {
        #expect(NodeID(text) == nil)
        #expect(Region(text) == nil)
    }
}
