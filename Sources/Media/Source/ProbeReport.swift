import Foundation

/// What `ffprobe -of json` prints, as far as it is asked for. Everything may be missing: files are like that.
struct ProbeReport: Decodable {
    struct Stream: Decodable {
        var index: Int
        var codecType: String?
        var codecName: String?
        var codecTag: String?
        var width: Int?
        var height: Int?
        var sampleAspectRatio: String?
        var averageFrameRate: String?
        var baseFrameRate: String?
        var startTime: String?
        var duration: String?
        var channels: Int?
        var colorTransfer: String?
        var colorMatrix: String?
        var disposition: [String: Int]?
        var tags: [String: String]?
        var sideData: [SideData]?

        enum CodingKeys: String, CodingKey {
            case index, width, height, duration, channels, disposition, tags
            case codecType = "codec_type"
            case codecName = "codec_name"
            case codecTag = "codec_tag_string"
            case sampleAspectRatio = "sample_aspect_ratio"
            case averageFrameRate = "avg_frame_rate"
            case baseFrameRate = "r_frame_rate"
            case startTime = "start_time"
            case colorTransfer = "color_transfer"
            case colorMatrix = "color_space"
            case sideData = "side_data_list"
        }
    }

    struct SideData: Decodable {
        var kind: String?
        var rotation: Double?

        enum CodingKeys: String, CodingKey {
            case kind = "side_data_type"
            case rotation
        }
    }

    struct Format: Decodable {
        var name: String?
        var startTime: String?
        var duration: String?

        enum CodingKeys: String, CodingKey {
            case duration
            case name = "format_name"
            case startTime = "start_time"
        }
    }

    var streams: [Stream]?
    var format: Format?

    /// Asks for exactly what is decoded here; no tag of the user's own comes along.
    static let entries = [
        "format=format_name,duration,start_time",
        "stream=index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,avg_frame_rate,"
            + "r_frame_rate,duration,start_time,channels,color_transfer,color_space",
        "stream_disposition=default,attached_pic,still_image,timed_thumbnails", "stream_tags=rotate,DURATION",
        "stream_side_data=side_data_type,rotation",
    ].joined(separator: ":")

    init(json: [UInt8]) throws(MediaError) {
        do {
            self = try JSONDecoder().decode(ProbeReport.self, from: Data(json))
        } catch {
            throw MediaError(.unexpectedOutput, "ffprobe: \(error)")
        }
    }

    /// A number of seconds as ffprobe writes it; nil for "N/A" and what is no number.
    static func seconds(_ text: String?) -> Double? {
        guard let value = text.flatMap({ Double($0) }), value.isFinite else { return nil }
        return value
    }
}

extension ProbeReport.Stream {
    var isDefault: Bool { disposition?["default"] == 1 }

    /// A cover, a chapter's thumbnail or a still: looks like a video stream and is none.
    var isPicture: Bool {
        ["attached_pic", "still_image", "timed_thumbnails"].contains { disposition?[$0] == 1 }
    }

    var isVideo: Bool { codecType == "video" && !isPicture }
    var isSound: Bool { codecType == "audio" && codecName != nil && (channels ?? 0) > 0 }
    var isEncrypted: Bool { ["encv", "enca", "drmi", "drms"].contains(codecTag) }
    var pixels: Int { max(0, width ?? 0).multipliedReportingOverflow(by: max(0, height ?? 0)).partialValue }

    /// Clockwise, a multiple of 90, 0 to 270: what a player turns the stored picture by.
    ///
    /// The display matrix is told counter-clockwise; the tag of older files clockwise.
    var rotationDegrees: Int {
        let fromMatrix = sideData?.compactMap(\.rotation).first.map { -$0 }
        let fromTag = tags?["rotate"].flatMap { Double($0) }
        guard let degrees = fromMatrix ?? fromTag, degrees.isFinite, degrees.magnitude < 3600 else { return 0 }
        let quarters = Int((degrees / 90).rounded())
        return ((quarters % 4) + 4) % 4 * 90
    }

    /// Width of a stored pixel over its height. Files that claim absurd ones mean 1.
    var pixelAspect: Double {
        let ratio = quotient(sampleAspectRatio, separator: ":") ?? 1
        return (0.1...10).contains(ratio) ? ratio : 1
    }

    /// Average rate; where that is absent or absurd the base rate; else 25, which only sizes buffers and steps.
    var framesPerSecond: Double {
        let plausible = 0.01...240.0
        let rates = [averageFrameRate, baseFrameRate].compactMap { quotient($0, separator: "/") }
        return rates.first { plausible.contains($0) } ?? 25
    }

    /// Where the stream ends on the timeline whose zero is the start of the file; nil when the container keeps quiet.
    func endSeconds(fileStart: Double) -> Double? {
        if let length = ProbeReport.seconds(duration) {
            return length + (ProbeReport.seconds(startTime) ?? fileStart) - fileStart
        }
        return clock(tags?["DURATION"]).map { $0 - fileStart }
    }

    /// Matroska writes `01:02:03.456000000`.
    private func clock(_ text: String?) -> Double? {
        guard let parts = text?.split(separator: ":"), parts.count == 3 else { return nil }
        let numbers = parts.compactMap { Double($0) }
        guard numbers.count == 3 else { return nil }
        return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
    }
}

private func quotient(_ text: String?, separator: Character) -> Double? {
    guard let parts = text?.split(separator: separator), parts.count == 2 else { return nil }
    guard let above = Double(parts[0]), let below = Double(parts[1]), above > 0, below > 0 else { return nil }
    return above / below
}
