import Media
import Testing

/// Films of cells with known mixtures.
@Suite struct SoftCutFinderTests {
    private static let columns = 32
    private static let rows = 18

    /// A picture of blobs, near and far; another seed is another scene, and `across` moves the camera, in cells.
    private static func scene(_ seed: UInt64, across: Double = 0) -> [Float] {
        var noise = SceneNoise(seed: seed)
        let blobs = (0..<70).map { _ in
            (
                x: Double.random(in: -40...80, using: &noise), y: Double.random(in: 0...18, using: &noise),
                size: Double.random(in: 1...5, using: &noise), light: Double.random(in: -110...110, using: &noise)
            )
        }
        return (0..<(columns * rows)).map { index in
            let (x, y) = (Double(index % columns) + across, Double(index / columns))
            let light = blobs.reduce(110.0) { sum, blob in
                let distance = ((x - blob.x) * (x - blob.x) + (y - blob.y) * (y - blob.y)) / (blob.size * blob.size)
                return sum + (distance < 4 ? blob.light * (1 - distance / 4) : 0)
            }
            return Float(min(255, max(0, light)))
        }
    }

    private static func mixed(_ from: [Float], _ to: [Float], _ share: Double) -> [Float] {
        let share = Float(min(1, max(0, share)))
        return zip(from, to).map { $0 + ($1 - $0) * share }
    }

    private func changes(
        seconds: Double, framesPerSecond: Double = 25, _ cells: (Double) -> [Float]
    ) -> [SoftCutFinder.Change] {
        var finder = SoftCutFinder()
        var noise = SceneNoise(seed: 9)
        for frame in 0..<Int(seconds * framesPerSecond) {
            let time = Double(frame) / framesPerSecond
            let noisy = cells(time).map { $0 + Float.random(in: -1...1, using: &noise) }
            finder.append(ShotPicture(time: time, change: 0, cells: noisy))
        }
        return finder.finish()
    }

    @Test(arguments: [0.4, 0.8, 1.2, 2.0], [24.0, 25, 30, 60])
    func `a dissolve is found in its middle`(length: Double, framesPerSecond: Double) throws {
        for seed in 1...6 as ClosedRange<UInt64> {
            let (from, to) = (Self.scene(seed), Self.scene(seed + 100))
            let changes = changes(seconds: 8, framesPerSecond: framesPerSecond) { time in
                Self.mixed(from, to, (time - 4) / length + 0.5)
            }
            #expect(changes.count == 1, "scene \(seed): \(changes)")
            #expect(abs(try #require(changes.first).middle - 4) < 0.15, "scene \(seed): \(changes)")
        }
    }

    @Test func `a dissolve between moving cameras is found`() {
        let changes = changes(seconds: 8) { time in
            Self.mixed(Self.scene(1, across: time), Self.scene(101, across: -time), time - 3.5)
        }
        #expect(changes.count == 1 && abs(changes[0].middle - 4) < 0.3, "\(changes)")
    }

    @Test(arguments: [0 as Float, 255])
    func `a fade through black or white is one change`(flat: Float) {
        let (from, to) = (Self.scene(3), Self.scene(103))
        let empty = [Float](repeating: flat, count: from.count)
        let changes = changes(seconds: 8) { time in
            time < 4 ? Self.mixed(from, empty, (time - 3) * 1.25) : Self.mixed(to, empty, (5 - time) * 1.25)
        }
        #expect(changes.count == 1 && changes[0].isFade && abs(changes[0].middle - 4) < 0.2, "\(changes)")
    }

    @Test func `fading out at the end or in at the start is no change of shots`() {
        let (scene, empty) = (Self.scene(3), [Float](repeating: 0, count: Self.columns * Self.rows))
        #expect(changes(seconds: 6) { Self.mixed(empty, scene, $0) }.isEmpty)
        #expect(changes(seconds: 6) { Self.mixed(scene, empty, $0 - 5) }.isEmpty)
    }

    @Test func `a blink into the same picture is no change of shots`() {
        let (scene, empty) = (Self.scene(3), [Float](repeating: 0, count: Self.columns * Self.rows))
        #expect(changes(seconds: 8) { Self.mixed(scene, empty, 1.5 - abs($0 - 4) * 3) }.isEmpty)
    }

    @Test(arguments: [1.0, 4, 12, 40])
    func `a pan is no dissolve`(cellsPerSecond: Double) {
        for seed in 1...6 as ClosedRange<UInt64> {
            let pan = changes(seconds: 8) { time in
                Self.scene(seed, across: min(1.5, max(0, time - 3)) * cellsPerSecond)
            }
            #expect(pan.isEmpty, "scene \(seed): \(pan)")
        }
    }

    @Test func `a hard cut is none, nor is light that changes`() {
        let (from, to) = (Self.scene(5), Self.scene(105))
        #expect(changes(seconds: 8) { $0 < 4 ? from : to }.isEmpty)
        #expect(changes(seconds: 8) { time in from.map { $0 * Float(1 - 0.5 * min(1, max(0, time - 3))) } }.isEmpty)
    }
}
