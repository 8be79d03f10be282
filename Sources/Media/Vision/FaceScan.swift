package import ClipModel

/// Finds the faces of a rendered file, to check what the framing promised.
package struct FaceScan {
    package struct Limits: Hashable, Sendable {
        package var framesPerSecond = 2.0
        /// Longer edge of the pictures that are looked at: 360 x 640 of a portrait clip.
        package var edgeMax = 640

        package init() {}
    }

    /// The faces at regular times, strongest first, in pixels of the rendered picture; an array for every picture,
    /// empty where none is seen. They are not tracked: `track` counts the faces of one picture.
    @concurrent
    package static func run(
        path: String, size: PixelSize, durationSeconds: Double, threads: Int, toolbox: Toolbox,
        limits: Limits = Limits(), progress: @Sendable (Double) -> Void = { _ in }
    ) async throws(MediaError) -> [[FaceSighting]] {
        let sampler = FrameSampler(
            path: path, stream: "v:0", range: TimeRange(start: 0, end: durationSeconds),
            framesPerSecond: limits.framesPerSecond, size: FrameSampler.size(of: size, edgeMax: limits.edgeMax),
            threads: threads)
        return try await sampler.faces(display: size, toolbox: toolbox, progress: progress).map { sample in
            sample.faces.enumerated().map { FaceSighting(time: sample.time, face: $1, track: $0) }
        }
    }
}
