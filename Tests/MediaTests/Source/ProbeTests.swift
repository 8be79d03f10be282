import ClipModel
import Media
import Testing

/// The rules, on what ffprobe prints. No child is started.
@Suite struct ProbeTests {
    private static func video(_ more: String = "", width: Int = 1280, height: Int = 720, index: Int = 0) -> String {
        """
        {"index": \(index), "codec_type": "video", "codec_name": "h264", "codec_tag_string": "avc1", "width": \(width),
         "height": \(height), "avg_frame_rate": "30000/1001", "r_frame_rate": "30/1"\(more.isEmpty ? "" : ", " + more)}
        """
    }

    private static func audio(_ more: String = "", index: Int = 1) -> String {
        """
        {"index": \(index), "codec_type": "audio", "codec_name": "aac", "channels": 2\(more.isEmpty ? "" : ", " + more)}
        """
    }

    private static func report(_ streams: [String], format: String = #""duration": "60.5""#) -> [UInt8] {
        let container = #""format_name": "mov,mp4,m4a,3gp,3g2,mj2""#
        let fields = [container, format].filter { !$0.isEmpty }.joined(separator: ", ")
        return Array(#"{"streams": [\#(streams.joined(separator: ","))], "format": {\#(fields)}}"#.utf8)
    }

    @Test func `a plain video is told as it is`() throws {
        let facts = try Probe.facts(fromJSON: Self.report([Self.video(), Self.audio()]))
        #expect(
            facts
                == VideoFacts(
                    durationSeconds: 60.5, displaySize: PixelSize(width: 1280, height: 720),
                    codedSize: PixelSize(width: 1280, height: 720), rotationDegrees: 0,
                    framesPerSecond: 30_000 / 1001, videoCodec: "h264", videoStream: 0, audioStream: 1,
                    audioCodec: "aac", audioChannels: 2, isHDR: false, container: "mov,mp4,m4a,3gp,3g2,mj2"))
    }

    private static let refused: [(MediaError.Code, [UInt8])] = [
        (.unexpectedOutput, Array("not json".utf8)),
        (.unexpectedOutput, Array(#"{"streams": [{"codec_type": "video"}]}"#.utf8)),
        (.noStreams, Array("{}".utf8)),
        (.tooManyStreams, report((0..<65).map { video(index: $0) })),
        (.noStreams, report([])),
        (.noVideoStream, report([audio()])),
        (.noVideoStream, report([audio(), video(#""disposition": {"attached_pic": 1}"#, index: 2)])),
        (.encrypted, report([video().replacing("avc1", with: "encv")])),
        (.undecodable, report([video(width: 0)])),
        (.pictureTooLarge, report([video(width: 8194, height: 100)])),
        (.pictureTooLarge, report([video(width: 8000, height: 8000)])),
        (.pictureTooSmall, report([video(width: 640, height: 30)])),
        (.unknownDuration, report([video()], format: "")),
        (.unknownDuration, report([video()], format: #""duration": "N/A""#)),
        (.unknownDuration, report([video()], format: #""duration": "0.000000""#)),
        (.tooShort, report([video()], format: #""duration": "0.9""#)),
        (.tooLong, report([video()], format: #""duration": "14401""#)),
    ]

    @Test(arguments: refused.indices)
    func `what cannot become clips is refused by name`(index: Int) {
        let (code, json) = Self.refused[index]
        let error = #expect(throws: MediaError.self) { try Probe.facts(fromJSON: json) }
        #expect(error?.code == code)
    }

    @Test(arguments: [3.0, 1.0, 7200, 14_400])
    func `short and long videos inside the limits are taken`(seconds: Double) throws {
        let facts = try Probe.facts(fromJSON: Self.report([Self.video()], format: #""duration": "\#(seconds)""#))
        #expect(facts.durationSeconds == seconds)
        #expect(facts.audioStream == nil && facts.audioChannels == 0)
    }

    @Test(arguments: [
        (#""sample_aspect_ratio": "1:1""#, 720, 576, 720, 576, 0),
        (#""sample_aspect_ratio": "64:45""#, 720, 576, 1024, 576, 0),
        (#""sample_aspect_ratio": "0:1""#, 101, 99, 101, 99, 0),
        (#""sample_aspect_ratio": "1000:1""#, 720, 576, 720, 576, 0),
        (#""side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}]"#, 1920, 1080, 1080, 1920, 90),
        (#""side_data_list": [{"rotation": 90.0}]"#, 1920, 1080, 1080, 1920, 270),
        (#""side_data_list": [{"rotation": 180}]"#, 1920, 1080, 1920, 1080, 180),
        (#""side_data_list": [{"side_data_type": "Mastering display metadata"}]"#, 1920, 1080, 1920, 1080, 0),
        (#""tags": {"rotate": "90"}"#, 1920, 1080, 1080, 1920, 90),
        (#""tags": {"rotate": "1e99"}"#, 1920, 1080, 1920, 1080, 0),
        (#""sample_aspect_ratio": "4:3", "tags": {"rotate": "270"}"#, 1440, 1080, 1080, 1920, 270),
    ])
    func `the picture is as it is seen`(
        more: String, width: Int, height: Int, seenWidth: Int, seenHeight: Int, rotation: Int
    ) throws {
        let json = Self.report([Self.video(more, width: width, height: height)])
        let facts = try Probe.facts(fromJSON: json)
        #expect(facts.codedSize == PixelSize(width: width, height: height))
        #expect(facts.displaySize == PixelSize(width: seenWidth, height: seenHeight))
        #expect(facts.rotationDegrees == rotation)
    }

    @Test(arguments: [("smpte2084", true), ("arib-std-b67", true), ("bt709", false)])
    func `HDR is told by its transfer`(transfer: String, isHDR: Bool) throws {
        let json = Self.report([Self.video(#""color_transfer": "\#(transfer)""#)])
        #expect(try Probe.facts(fromJSON: json).isHDR == isHDR)
    }

    @Test(arguments: [
        ("30000/1001", "60/1", 30_000.0 / 1001), ("0/0", "25/1", 25), ("0/0", "1000/1", 25), ("1/2", "1/2", 0.5),
        ("90000/1", "0/0", 25), ("x", "", 25),
    ])
    func `the frame rate is the average when that makes sense`(average: String, base: String, rate: Double) throws {
        let stream = Self.video().replacing("30000/1001", with: average).replacing("\"30/1\"", with: "\"\(base)\"")
        #expect(try Probe.facts(fromJSON: Self.report([stream])).framesPerSecond == rate)
    }

    @Test func `the track that is marked as default is heard, else the first`() throws {
        let marked = Self.audio(#""disposition": {"default": 1}"#, index: 2)
        #expect(try Probe.facts(fromJSON: Self.report([Self.video(), Self.audio(), marked])).audioStream == 2)
        let unmarked = [Self.video(), Self.audio(index: 3), Self.audio(index: 4)]
        #expect(try Probe.facts(fromJSON: Self.report(unmarked)).audioStream == 3)
        let unknown = #"{"index": 1, "codec_type": "audio", "channels": 0}"#
        #expect(try Probe.facts(fromJSON: Self.report([Self.video(), unknown])).audioStream == nil)
    }

    @Test func `of several pictures the default one is seen, else the largest`() throws {
        let small = Self.video(width: 160, height: 90, index: 0)
        let large = Self.video(width: 1920, height: 1080, index: 1)
        #expect(try Probe.facts(fromJSON: Self.report([small, large])).videoStream == 1)
        let chosen = Self.video(#""disposition": {"default": 1}"#, width: 160, height: 90, index: 2)
        #expect(try Probe.facts(fromJSON: Self.report([large, chosen])).videoStream == 2)
    }

    @Test(arguments: [
        // Sound that outlasts the picture does not count.
        (#""duration": "60""#, #""duration": "10", "start_time": "0.5""#, 10.5),
        (#""duration": "60", "start_time": "5""#, #""duration": "10", "start_time": "5.5""#, 10.5),
        (#""duration": "60""#, #""tags": {"DURATION": "00:00:12.250000000"}"#, 12.25),
        (#""duration": "60""#, #""tags": {"DURATION": "nonsense"}"#, 60),
        ("", #""duration": "7200""#, 7200),
    ])
    func `the video lasts as long as its picture`(format: String, stream: String, seconds: Double) throws {
        let json = Self.report([Self.video(stream), Self.audio()], format: format)
        #expect(try Probe.facts(fromJSON: json).durationSeconds == seconds)
    }

    @Test func `a measured length stands in for one that is not written`() throws {
        let json = Self.report([Self.video()], format: "")
        #expect(try Probe.facts(fromJSON: json, measuredSeconds: 12.5).durationSeconds == 12.5)
        let error = #expect(throws: MediaError.self) { try Probe.facts(fromJSON: json, measuredSeconds: 0) }
        #expect(error?.code == .unknownDuration)
    }
}
