package import ClipModel

/// What the stages cost, in seconds of one core: measured on 720p and 1080p talks with the default tools. Only
/// progress and generous time limits are made from these alone, so they may be off by half. For the time left nodes say
/// how long stages take there against these (`MeasuredCosts`).
package enum StageCost {
    /// Of a stage over `seconds` of video: the source for those that read all of it, else the chunk or the clip.
    package static func seconds(_ name: StageName, over seconds: Double) -> Double {
        switch name {
        case .scan: 0.2 + 0.001 * seconds
        case .probe: 0.5
        case .audio: 0.5 + 0.012 * seconds
        case .shots: 0.5 + 0.05 * seconds
        case .transcribe: 0.5 + 0.25 * seconds
        case .transcript: 0.1
        case .highlights: 0.3
        case .reframe: 0.5 + 0.15 * seconds
        case .render: 1.5 + 0.95 * seconds
        case .check: 0.2
        case .thumbnail: 0.5
        case .publish: 0.2
        }
    }

    /// Most threads that make a stage faster. One that is already split over nodes gains little from more than four.
    package static func threadsMax(_ name: StageName) -> Int {
        switch name {
        case .render, .shots: 4
        case .reframe, .check: 2
        // The recogniser's threads wait for each other by spinning: beside other work two cost more processor time than
        // they save, and there are always more chunks than one to fill a machine with.
        case .scan, .probe, .audio, .transcribe, .transcript, .highlights, .thumbnail, .publish: 1
        }
    }

    /// Start-to-close limit in seconds: 40 times the cost, because the slowest machine that we serve on may be busy
    /// with other things, and never under five minutes. It only has to end what would never end.
    package static func limitSeconds(_ name: StageName, over seconds: Double) -> Double {
        max(limitSecondsFloor, limitFactor * Self.seconds(name, over: seconds))
    }

    package static let limitSecondsFloor = 300.0
    package static let limitFactor = 40.0
}
