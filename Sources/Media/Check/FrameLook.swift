package import ClipModel

/// How good a small picture looks.
package struct FrameLook: Hashable, Sendable {
    /// Mean squared difference between neighbouring pixels, 0 to 1. Grows with detail, falls with motion blur.
    package var sharpness: Double
    /// 1 for a picture neither dark nor glaring, down to nearly 0 for a black or a white one.
    package var exposure: Double
    /// The share of its faces whose eyes are closed. Eyes that cannot be judged are open.
    package var closedEyes: Double

    package init(sharpness: Double, exposure: Double, closedEyes: Double = 0) {
        self.sharpness = sharpness
        self.exposure = exposure
        self.closedEyes = closedEyes
    }

    /// Only the upper part is looked at: captions are sharp in every picture.
    private static let lookedAtShare = 0.65
    /// A mean brightness between these is well exposed.
    private static let goodMean = 0.25...0.75
    /// Contrast (standard deviation) from which on a picture is not flat.
    private static let goodContrast = 0.12

    /// `luma`: one byte a pixel, row by row.
    package init(luma: [UInt8], width: Int, height: Int) {
        precondition(width > 1 && height > 1 && luma.count == width * height, "\(luma.count) bytes of luma")
        let rows = max(2, Int(Double(height) * Self.lookedAtShare))
        var (gradient, sum, squares) = (0, 0, 0)
        for row in 0..<(rows - 1) {
            for column in 0..<(width - 1) {
                let here = Int(luma[row * width + column])
                let right = Int(luma[row * width + column + 1]) - here
                let below = Int(luma[(row + 1) * width + column]) - here
                gradient += right * right + below * below
                sum += here
                squares += here * here
            }
        }
        let count = Double((rows - 1) * (width - 1))
        sharpness = Double(gradient) / count / (2 * 255 * 255)
        let mean = Double(sum) / count / 255
        let contrast = max(0, Double(squares) / count / (255 * 255) - mean * mean).squareRoot()
        let outside = max(0, Self.goodMean.lowerBound - mean, mean - Self.goodMean.upperBound)
        let isLit = max(0.02, 1 - outside / Self.goodMean.lowerBound)
        exposure = isLit * max(0.02, min(1, contrast / Self.goodContrast))
        closedEyes = 0
    }

    /// `pixels`: a tightly packed BGR picture of 8 bits a channel. Looked at in half its size, so that noise is not
    /// taken for detail.
    package init(pixels: [UInt8], size: PixelSize) {
        precondition(pixels.count == size.width * size.height * 3, "\(pixels.count) bytes of \(size)")
        let (width, height) = (size.width / 2, size.height / 2)
        var luma: [UInt8] = []
        luma.reserveCapacity(width * height)
        for row in 0..<height {
            for column in 0..<width {
                let upper = (2 * row * size.width + 2 * column) * 3
                let lower = upper + size.width * 3
                // BT.601, in 256ths.
                func sum(_ channel: Int) -> Int {
                    Int(pixels[upper + channel]) + Int(pixels[upper + 3 + channel]) + Int(pixels[lower + channel])
                        + Int(pixels[lower + 3 + channel])
                }
                luma.append(UInt8((29 * sum(0) + 150 * sum(1) + 77 * sum(2)) / 1024))
            }
        }
        self.init(luma: luma, width: width, height: height)
    }
}

/// Gathers what the pictures of a run show: of every candidate its own picture, then those that follow it within a
/// second. A blink is told by them: it is over before they end, and they show the same person in the same light.
package struct FrameLooks {
    /// Faces that are this much lower than the highest are in the background.
    private static let foregroundShareMin = 0.6
    private static let facesMax = 4
    /// From one picture to the next a face covers its own place by this much (intersection over union).
    private static let overlapMin = 0.3
    /// Mean change of the brightness, in steps of 8 bits, from which on a picture is of another shot and its faces are
    /// other people. Measured over 0.3 s: up to 30 where a close-up moves, over 70 at cuts.
    private static let cutChangeMin = 35.0
    /// Every so many rows and columns are enough to see a cut by.
    private static let cutStride = 8

    private struct Followed {
        var face: DetectedFace
        var eyes: EyeOpenness
        var later: [EyeOpenness] = []
    }

    private let size: PixelSize
    private let picturesEach: Int
    private var pictures = 0
    private var looks: [FrameLook] = []
    /// Of the candidate that was seen last, as long as its shot goes on.
    private var followed: [Followed] = []
    private var isFollowing = false
    private var before: [UInt8] = []

    /// - Parameter picturesEach: That belong to one candidate, its own included.
    package init(size: PixelSize, picturesEach: Int) {
        precondition(picturesEach > 0, "\(picturesEach) pictures of a candidate")
        self.size = size
        self.picturesEach = picturesEach
    }

    /// The next picture, as BGR of 8 bits a channel, and the faces in it.
    package mutating func add(_ pixels: [UInt8], faces: [DetectedFace]) {
        defer { pictures += 1 }
        let now = sparse(pixels)
        defer { before = now }
        guard pictures % picturesEach == 0 else {
            isFollowing = isFollowing && change(to: now) < Self.cutChangeMin
            if isFollowing { follow(pixels, faces) }
            return
        }
        judge()
        isFollowing = true
        looks.append(FrameLook(pixels: pixels, size: size))
        let highest = faces.map(\.height).max() ?? 0
        followed = faces.filter { $0.height >= Self.foregroundShareMin * highest }.prefix(Self.facesMax)
            .compactMap { face in
                face.eyes.map { Followed(face: face, eyes: EyeOpenness(pixels, size: size, eyes: $0)) }
            }
    }

    /// One for each candidate.
    package mutating func finished() -> [FrameLook] {
        judge()
        return looks
    }

    private mutating func follow(_ pixels: [UInt8], _ faces: [DetectedFace]) {
        for index in followed.indices {
            let before = followed[index].face
            guard let face = faces.max(by: { $0.overlap(before) < $1.overlap(before) }), let eyes = face.eyes,
                face.overlap(before) >= Self.overlapMin
            else { continue }
            followed[index].face = face
            followed[index].later.append(EyeOpenness(pixels, size: size, eyes: eyes))
        }
    }

    /// Green of a BGR picture stands for its brightness.
    private func sparse(_ pixels: [UInt8]) -> [UInt8] {
        var sparse: [UInt8] = []
        for row in stride(from: 0, to: size.height, by: Self.cutStride) {
            for column in stride(from: 0, to: size.width, by: Self.cutStride) {
                sparse.append(pixels[(row * size.width + column) * 3 + 1])
            }
        }
        return sparse
    }

    private func change(to now: [UInt8]) -> Double {
        let sum = zip(before, now).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(now.count)
    }

    private mutating func judge() {
        guard !followed.isEmpty else { return }
        let closed = followed.count { $0.eyes.isClosed(otherwise: $0.later) == true }
        looks[looks.count - 1].closedEyes = Double(closed) / Double(followed.count)
        followed = []
    }
}
