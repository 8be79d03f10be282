/// How interesting a video is from one moment on, until the next point.
package struct InterestPoint: Hashable, Sendable, Codable {
    /// In seconds from the start of the video.
    package var start: Double
    /// 0 to 1, comparable inside one video only.
    package var value: Double

    package init(start: Double, value: Double) {
        self.start = start
        self.value = value
    }
}
