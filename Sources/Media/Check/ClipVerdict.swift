package import ClipModel

/// All that was measured on one rendered file.
package struct ClipMeasurements: Hashable, Sendable {
    package var streams: ClipStreams
    package var isIndexFirst: Bool
    package var loudness: LoudnessReading
    package var picture: PictureScan
    package var framing: Framing
    /// Display pixels of the source.
    package var sourceSize: PixelSize
    /// What burned captions hide of a face, on average; nil without captions or faces.
    package var captionsOverFaces: Double?

    package init(
        streams: ClipStreams, isIndexFirst: Bool, loudness: LoudnessReading, picture: PictureScan, framing: Framing,
        sourceSize: PixelSize, captionsOverFaces: Double? = nil
    ) {
        self.streams = streams
        self.isIndexFirst = isIndexFirst
        self.loudness = loudness
        self.picture = picture
        self.framing = framing
        self.sourceSize = sourceSize
        self.captionsOverFaces = captionsOverFaces
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
        /// Share of the pictures in which it can be told whether the main face is seen.
        package var speakerInFrameMin = 0.9
        /// Share of the pictures with a main face that show nobody, and how many may whatever their share.
        package var emptyFramesMax = 0.01
        package var emptyFramesFree = 1
        /// Captions stand where they hide least; a chin is no fault.
        package var captionsOverFacesMax = 0.3
        /// The first turn of a clip is free: who walks to the board walks back.
        package var reversalsPerSecondMax = 0.10
        /// Of the camera in pixels of a clip 1080 wide, per second: while the main face stands still, and otherwise...
        package var travelStillMax = 40.0
        package var travelMax = 60.0
        /// ...unless the face itself goes faster. Standing still is going by less than this.
        package var subjectStillMax = 40.0
        /// A twenty-fifth of a second is seen on lips.
        package var soundOffsetSecondsMax = 0.045

        package init() {}
    }

    package let figures: ClipFigures
    /// When the main face was not shown, in seconds from the start of the clip.
    package let missed: [Double]
    /// In how many pictures the main face was found.
    package let shownCount: Int

    /// A wider picture might have shown who is missing.
    package var hasLostPeople: Bool {
        figures.flags.contains { ["face_lost", "speaker_lost", "empty_frames"].contains($0.code) }
    }

    package init(_ measured: ClipMeasurements, expected: Expectation, bounds: Bounds = Bounds()) {
        let (streams, loudness) = (measured.streams, measured.loudness)
        let evidence = FaceEvidence(
            measured.picture.samples, framing: measured.framing,
            geometry: FrameGeometry(source: measured.sourceSize, frame: expected.size))
        let black = measured.picture.black.reduce(0) { $0 + $1.duration }
        let frozen = measured.picture.frozen.reduce(0) { $0 + $1.duration }
        let flags =
            Self.formatFlags(measured, expected) + Self.soundFlags(loudness, bounds)
            + Self.pictureFlags(measured, black: black, frozen: frozen, bounds) + Self.faceFlags(evidence, bounds)
            + bounds.flags(ofCamera: measured.framing)
        missed = evidence.missed
        shownCount = evidence.shownCount
        figures = ClipFigures(
            durationSeconds: streams.durationSeconds, width: streams.width, height: streams.height,
            framesPerSecond: streams.framesPerSecond, videoCodec: streams.videoCodec, audioCodec: streams.audioCodec,
            loudnessLUFS: loudness.isSilent ? nil : loudness.integratedLUFS,
            truePeakDBTP: loudness.isSilent ? nil : loudness.truePeakDBTP, blackSeconds: black, frozenSeconds: frozen,
            faceInFrame: evidence.faceInFrame, speakerInFrame: evidence.speakerInFrame,
            emptyFrames: evidence.emptyFrames, reversalsPerSecond: measured.framing.reversalsPerSecond,
            travelPixelsPerSecond: measured.framing.travelPixelsPerSecond,
            captionsOverFaces: measured.captionsOverFaces, soundOffsetSeconds: streams.soundOffsetSeconds,
            layouts: measured.framing.shares, flags: flags)
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
        _ measured: ClipMeasurements, black: Double, frozen: Double, _ bounds: Bounds
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
        if let share = measured.captionsOverFaces, share > bounds.captionsOverFacesMax {
            let share = FilterText.number(share * 100, places: 0)
            flags.append(Note(code: "captions_over_faces", text: "The captions hide \(share) % of the faces."))
        }
        if abs(measured.streams.soundOffsetSeconds) > bounds.soundOffsetSecondsMax {
            let offset = FilterText.number(measured.streams.soundOffsetSeconds, places: 2)
            flags.append(Note(code: "sound_offset", text: "Sound and picture are \(offset) s apart."))
        }
        return flags
    }

    private static func faceFlags(_ evidence: FaceEvidence, _ bounds: Bounds) -> [Note] {
        var flags: [Note] = []
        if let share = evidence.faceInFrame, share < bounds.faceInFrameMin {
            let share = FilterText.number(share * 100, places: 0)
            flags.append(
                Note(code: "face_lost", text: "The face is in the picture only \(share) % of the time it could be."))
        }
        if let share = evidence.speakerInFrame, share < bounds.speakerInFrameMin {
            let share = FilterText.number(share * 100, places: 0)
            flags.append(
                Note(code: "speaker_lost", text: "Who should be seen is in the picture only \(share) % of the time."))
        }
        if let share = evidence.emptyFrames, share > bounds.emptyFramesMax,
            evidence.emptyCount > bounds.emptyFramesFree
        {
            let share = FilterText.number(share * 100, places: 1)
            flags.append(Note(code: "empty_frames", text: "The picture shows nobody \(share) % of the time."))
        }
        return flags
    }
}

extension ClipVerdict.Bounds {
    /// What is wrong with how the camera goes. Known before anything is rendered.
    package func flags(ofCamera framing: Framing) -> [Note] {
        var flags: [Note] = []
        let seconds = framing.segments.last?.range.end ?? 0
        // Of the figure's rounding, too, the first turn is free.
        let free = seconds > 0 ? 1 / seconds + 0.0001 : 0
        if framing.reversalsPerSecond > max(reversalsPerSecondMax, free) {
            let rate = FilterText.number(framing.reversalsPerSecond, places: 2)
            flags.append(
                Note(code: "restless_camera", text: "The picture turns back and forth \(rate) times a second."))
        }
        let subject = framing.subjectPixelsPerSecond ?? 0
        let travelMax = subject <= subjectStillMax ? travelStillMax : max(travelMax, 1.1 * subject)
        if framing.subjectPixelsPerSecond != nil, framing.travelPixelsPerSecond > travelMax {
            let speed = FilterText.number(framing.travelPixelsPerSecond, places: 0)
            flags.append(
                Note(code: "hasty_camera", text: "The camera goes \(speed) pixels a second, more than who it follows."))
        }
        return flags
    }
}

extension Framing {
    /// Of the clip, by layout.
    fileprivate var shares: [String: Double] {
        let seconds = segments.reduce(0) { $0 + $1.range.duration }
        guard seconds > 0 else { return [:] }
        return Dictionary(grouping: segments, by: \.layout.kind.rawValue).mapValues { segments in
            (segments.reduce(0) { $0 + $1.range.duration } / seconds).rounded(toPlaces: 3)
        }
    }
}
