package import ClipModel

/// Looks at a clip's stretch of the source and decides what of the picture the clip shows.
package struct Reframer {
    /// How closely a clip is looked at. With these a minute of 1080p costs 9 to 13 s of one core, decoding included;
    /// the pictures for mouths are 0.9 s of it.
    package struct Limits: Hashable, Sendable {
        /// A face moves little in 200 ms, and a cut is known from elsewhere.
        package var framesPerSecond = 5.0
        /// For very long clips: then they are looked at less often.
        package var framesMax = 1500
        /// So many pictures are taken for every one that faces are looked for in: what mouths do between them is a
        /// matter of a fifteenth of a second...
        package var mouthLooks = 3
        /// ...and says nothing when pictures are fewer than this a second.
        package var mouthLooksPerSecondMin = 12.0
        /// Longer edge of the pictures that are looked at. Measured: faces of 45 pixels in a source of 1920 are found,
        /// close-ups as well, at 16 ms a picture.
        package var edgeMax = 640
        /// When fewer of the pictures than this show a face, they are looked at again...
        package var closerLookShareMax = 0.3
        /// ...as large as this, which finds faces of 25 pixels (a speaker on a distant stage) but takes four times as
        /// long...
        package var closerLookEdgeMax = 1280
        /// ...and therefore only every so many of them.
        package var closerLookEvery = 2

        package init() {}
    }

    /// - Parameters:
    ///   - clip: In seconds of the source, like `cuts`.
    ///   - aspect: The size of the output; only its shape and the enlargement matter here.
    ///   - smartCrop: False: the centre, without looking.
    ///   - speech: What is heard in the clip: with it, who speaks is told from who listens.
    ///   - progress: 0 to 1, never falling.
    ///
    /// `@concurrent` because finding faces holds a thread for 16 ms at a time: short enough for the shared pool, where
    /// the node's budget has paid for the thread, and too long for the executor of whoever calls.
    @concurrent
    package static func run(
        path: String, facts: VideoFacts, clip: TimeRange, cuts: [Double], aspect: PixelSize, smartCrop: Bool,
        speech: SpeechEvidence = .none, threads: Int, toolbox: Toolbox, limits: Limits = Limits(),
        progress: @Sendable (Double) -> Void = { _ in }
    ) async throws(MediaError) -> Framing {
        let framesPerSecond = min(limits.framesPerSecond, Double(limits.framesMax) / max(clip.duration, 1))
        let display = facts.displaySize
        let isDense = framesPerSecond * Double(limits.mouthLooks) >= limits.mouthLooksPerSecondMin
        let looks = isDense ? limits.mouthLooks : 1
        var sampler = FrameSampler(
            path: path, stream: "\(facts.videoStream)", range: clip, framesPerSecond: framesPerSecond * Double(looks),
            size: FrameSampler.size(of: display, edgeMax: limits.edgeMax), threads: threads)
        let planner = FramingPlanner(
            source: display, output: aspect, clip: clip, cuts: cuts, stepSeconds: 1 / framesPerSecond)
        guard smartCrop else { return planner.centred() }

        let firstLook = 0.5
        var samples = try await sampler.faces(display: display, every: looks, attentive: true, toolbox: toolbox) {
            progress($0 * firstLook)
        }
        let closer = FrameSampler.size(of: display, edgeMax: limits.closerLookEdgeMax)
        if closer != sampler.size, samples.shareWithFaces < limits.closerLookShareMax {
            sampler.size = closer
            sampler.framesPerSecond = framesPerSecond / Double(limits.closerLookEvery)
            let found = try await sampler.faces(display: display, attentive: false, toolbox: toolbox) {
                progress(firstLook + $0 * (1 - firstLook))
            }
            samples.fillIn(found, every: limits.closerLookEvery)
        }
        progress(1)
        return toolbox.effort.measure { planner.framing(samples, speech: speech) }
    }
}

extension [FaceSample] {
    fileprivate var shareWithFaces: Double {
        isEmpty ? 0 : Double(count { !$0.faces.isEmpty }) / Double(count)
    }

    /// Takes over the faces that a second look found, where the first saw nothing: a close-up is found by the first
    /// only. What else draws the eye the first has told of every picture.
    fileprivate mutating func fillIn(_ closer: [FaceSample], every stride: Int) {
        for (index, sample) in closer.enumerated() where index * stride < count {
            if self[index * stride].faces.isEmpty { self[index * stride].faces = sample.faces }
        }
    }
}
