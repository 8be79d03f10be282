package import ClipModel

/// All that was measured on one rendered file.
package struct ClipMeasurements: Hashable, Sendable {
    package var streams: ClipStreams
    package var isIndexFirst: Bool
    package var loudness: LoudnessReading
    package var picture: PictureScan
    package var framing: Framing

    package init(
        streams: ClipStreams, isIndexFirst: Bool, loudness: LoudnessReading, picture: PictureScan, framing: Framing
    ) {
        self.streams = streams
        self.isIndexFirst = isIndexFirst
        self.loudness = loudness
        self.picture = picture
        self.framing = framing
    }
}

/// What a clip must be, and where it is not.
package struct ClipVerdict: Hashable, Sendable {
    /// What was asked for.
    package struct Expectation: Hashable, Sendable {
        package var size: PixelSize
        package var rate: FrameRate
        package var frameCount: Int

        package init(size: PixelSize, rate: FrameRate, frameCount: Int) {
            self.size = size
            self.rate = rate
            self.frameCount = frameCount
        }
    }

    package struct Bounds: Hashable, Sendable {
        package var loudnessLUFS = -15.0...(-13.0)
        package var truePeakDBTPMax = -0.3
        /// Below this nothing is left but noise; see `LoudnessControl.Target.quietLoudness`.
        package var audibleLUFS = -30.0
        package var blackSecondsMax = 0.5
        /// A clip may not begin in the dark.
        package var blackStartSecondsMax = 0.1
        /// Share of the clip. A speaker who shows a slide is no fault.
        package var frozenShareMax = 0.5
        /// Share of the pictures in which the source shows a face.
        package var faceInFrameMin = 0.8
        /// Fewer pictures with a face say nothing about the rest.
        package var faceSamplesMin = 4
        /// How far in time a sampled picture and a sighting in the source may be apart.
        package var faceSecondsApartMax = 0.3
        package var reversalsPerSecondMax = 0.2

        package init() {}
    }

    package let figures: ClipFigures

    package init(_ measured: ClipMeasurements, expected: Expectation, bounds: Bounds = Bounds()) {
        let (streams, loudness) = (measured.streams, measured.loudness)
        let faceInFrame = Self.faceInFrame(measured, bounds: bounds)
        let black = measured.picture.black.reduce(0) { $0 + $1.duration }
        let frozen = measured.picture.frozen.reduce(0) { $0 + $1.duration }
        let flags =
            Self.formatFlags(measured, expected) + Self.soundFlags(loudness, bounds)
            + Self.pictureFlags(measured, black: black, frozen: frozen, faceInFrame: faceInFrame, bounds)
        figures = ClipFigures(
            durationSeconds: streams.durationSeconds, width: streams.width, height: streams.height,
            framesPerSecond: streams.framesPerSecond, videoCodec: streams.videoCodec, audioCodec: streams.audioCodec,
            loudnessLUFS: loudness.isSilent ? nil : loudness.integratedLUFS,
            truePeakDBTP: loudness.isSilent ? nil : loudness.truePeakDBTP, blackSeconds: black, frozenSeconds: frozen,
            faceInFrame: faceInFrame, reversalsPerSecond: measured.framing.reversalsPerSecond, flags: flags)
    }

    private static func formatFlags(_ measured: ClipMeasurements, _ expected: Expectation) -> [Note] {
        let streams = measured.streams
        var flags: [Note] = []
        let isFormat =
            streams.videoCodec == "h264" && streams.videoProfile == "High" && streams.pixelFormat == "yuv420p"
            && streams.width == expected.size.width && streams.height == expected.size.height
            && abs(streams.framesPerSecond - expected.rate.perSecond) < 0.01
            && streams.audioCodec == "aac" && streams.audioSamplesPerSecond == 48_000
            && streams.audioChannels == 2 && streams.otherStreams == 0
        if !isFormat {
            let picture =
                "\(streams.videoCodec) \(streams.videoProfile) \(streams.pixelFormat) "
                + "\(streams.width)x\(streams.height) \(FilterText.number(streams.framesPerSecond)) fps"
            let sound = "\(streams.audioCodec) \(streams.audioSamplesPerSecond) Hz x \(streams.audioChannels)"
            let found = "\(picture), \(sound), \(streams.otherStreams) other"
            flags.append(Note(code: "wrong_format", text: "The file is not what was asked for: \(found)."))
        }
        if streams.frameCount != expected.frameCount {
            flags.append(
                Note(
                    code: "wrong_length",
                    text: "The clip has \(streams.frameCount) pictures and not \(expected.frameCount)."))
        }
        if !measured.isIndexFirst {
            flags.append(Note(code: "index_last", text: "Players must load the whole file before they can start."))
        }
        return flags
    }

    private static func soundFlags(_ loudness: LoudnessReading, _ bounds: Bounds) -> [Note] {
        guard !loudness.isSilent else { return [Note(code: "silent", text: "There is nothing to hear.")] }
        var flags: [Note] = []
        let level = FilterText.number(loudness.integratedLUFS, places: 1)
        if loudness.integratedLUFS < bounds.audibleLUFS {
            flags.append(
                Note(code: "nearly_silent", text: "There is next to nothing to hear: \(level) LUFS."))
        } else if !bounds.loudnessLUFS.contains(loudness.integratedLUFS) {
            let wanted =
                "\(FilterText.number(bounds.loudnessLUFS.lowerBound)) to "
                + FilterText.number(bounds.loudnessLUFS.upperBound)
            flags.append(
                Note(code: "loudness_out_of_range", text: "The sound is at \(level) LUFS and not at \(wanted)."))
        }
        if loudness.truePeakDBTP > bounds.truePeakDBTPMax {
            let peak = FilterText.number(loudness.truePeakDBTP, places: 1)
            flags.append(Note(code: "true_peak_high", text: "Peaks reach \(peak) dBTP and may crackle."))
        }
        return flags
    }

    private static func pictureFlags(
        _ measured: ClipMeasurements, black: Double, frozen: Double, faceInFrame: Double?, _ bounds: Bounds
    ) -> [Note] {
        var flags: [Note] = []
        let startsBlack = measured.picture.black.contains { $0.start <= 0 && $0.end > bounds.blackStartSecondsMax }
        if black > bounds.blackSecondsMax || startsBlack {
            let seconds = FilterText.number(black, places: 1)
            flags.append(Note(code: "black_frames", text: "The picture is black for \(seconds) s."))
        }
        if frozen > bounds.frozenShareMax * max(measured.streams.durationSeconds, 0) {
            let seconds = FilterText.number(frozen, places: 1)
            flags.append(Note(code: "frozen_picture", text: "The picture stands still for \(seconds) s."))
        }
        if let faceInFrame, faceInFrame < bounds.faceInFrameMin {
            let share = FilterText.number(faceInFrame * 100, places: 0)
            flags.append(
                Note(code: "face_lost", text: "The face is in the picture only \(share) % of the time it could be."))
        }
        if measured.framing.reversalsPerSecond > bounds.reversalsPerSecondMax {
            let rate = FilterText.number(measured.framing.reversalsPerSecond, places: 2)
            flags.append(
                Note(code: "restless_camera", text: "The picture turns back and forth \(rate) times a second."))
        }
        return flags
    }

    /// Of the sampled pictures for which the source shows a face, the share that shows one in the clip. Nil when the
    /// source shows too few faces to tell.
    private static func faceInFrame(_ measured: ClipMeasurements, bounds: Bounds) -> Double? {
        let times = measured.framing.faces.map(\.time).sorted()
        let looked = measured.picture.samples.filter { sample in
            times.contains { abs($0 - sample.time) <= bounds.faceSecondsApartMax }
        }
        guard looked.count >= bounds.faceSamplesMin else { return nil }
        return Double(looked.count { $0.faceCount > 0 }) / Double(looked.count)
    }
}
