import ClipModel
import Foundation
import Testing

@Suite struct JobOptionsTests {
    @Test func `no options are the defaults, and good`() throws {
        let options = try JSONDecoder().decode(JobOptions.self, from: Data("{}".utf8))
        #expect(options == JobOptions())
        #expect(options.problem == nil)
        #expect(options.clipSeconds == TimeRange(start: 18, end: 32))
    }

    @Test func `options are read back as they were written`() throws {
        var options = JobOptions()
        options.keywords = ["café con leche", "acción"]
        options.aspect = .feed
        options.maxSeconds = 20
        options.watermark = "@tijera"
        let data = try JSONEncoder().encode(options)
        #expect(try JSONDecoder().decode(JobOptions.self, from: data) == options)
    }

    @Test func `seconds lie over the preset and always leave a range`() {
        for preset in JobOptions.DurationPreset.allCases {
            for low in [nil, 3.0, 15, 60, 180] {
                for high in [nil, 3.0, 15, 60, 180] {
                    var options = JobOptions()
                    options.durationPreset = preset
                    options.minSeconds = low
                    options.maxSeconds = high
                    guard options.problem == nil else { continue }
                    #expect(options.clipSeconds.start <= options.clipSeconds.end)
                    if let low { #expect(options.clipSeconds.start == low) }
                    if let high { #expect(options.clipSeconds.end == high) }
                }
            }
        }
    }

    static let wrong: [(String, @Sendable (inout JobOptions) -> Void)] = [
        ("clipCount", { $0.clipCount = 0 }), ("clipCount", { $0.clipCount = 11 }),
        ("language", { $0.language = "Spanish" }),
        ("minSeconds", { $0.minSeconds = 1 }), ("maxSeconds", { $0.maxSeconds = 1000 }),
        (
            "maxSeconds",
            {
                $0.minSeconds = 30; $0.maxSeconds = 20
            }
        ), ("keywords", { $0.keywords = [""] }),
        ("keywords", { $0.keywords = Array(repeating: "x", count: 21) }),
        ("watermark", { $0.watermark = String(repeating: "x", count: 61) }),
    ]

    @Test(arguments: wrong.indices)
    func `a value that cannot be used is named`(index: Int) {
        var options = JobOptions()
        Self.wrong[index].1(&options)
        #expect(options.problem?.option == Self.wrong[index].0)
    }

    @Test func `a status only moves forward, except that a job goes on that is tried again or revised`() {
        for from in Job.Status.allCases {
            for to in Job.Status.allCases where from.mayBecome(to) {
                #expect(!from.hasEnded || (from != .cancelled && to == .processing), "\(from) -> \(to)")
            }
        }
        #expect(!Job.Status.ready.mayBecome(.cancelled))
    }

    @Test func `options say what a node must know, in words that this one knows`() {
        #expect(JobOptions().needed.isEmpty)
        var options = JobOptions()
        options.captionStyle = .neon
        options.watermark = "me"
        options.maxSeconds = 20
        options.keywords = ["a"]
        #expect(options.needed == ["captionStyle", "captionStyle=neon", "watermark", "maxSeconds", "keywords"])
    }

    @Test func `every option is among the words, with every choice that it has`() {
        let names = JobOptions.CodingKeys.allCases.map(\.rawValue)
        #expect(Set(names).isSubset(of: JobOptions.known))
        let styles = JobOptions.CaptionStyle.allCases.map { "captionStyle=\($0.rawValue)" }
        #expect(Set(styles).isSubset(of: JobOptions.known))
        #expect(JobOptions.known.contains("aspect=9:16") && !JobOptions.known.contains("smartCrop=true"))
        #expect(JobOptions.knownAtFirst.isSubset(of: JobOptions.known), "an option was taken away")
    }
}
