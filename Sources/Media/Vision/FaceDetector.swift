import COpenCV
package import ClipModel

/// A face in one picture, in pixels of that picture. May reach over its edge.
package struct DetectedFace: Hashable, Sendable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double
    /// 0 to 1.
    package var confidence: Double
    /// Height of the line between the eyes: what headroom is measured to.
    package var eyeLine: Double
    /// How its mouth moved from this picture to the next one that faces are looked for in, step by step. Empty when
    /// nobody measured it.
    package var mouth: [MouthMotion]
    /// Nil in a face that was reckoned from others and not seen.
    package var eyes: Eyes?

    /// The middles of both, in pixels of the picture. Right and left are those of the person.
    package struct Eyes: Hashable, Sendable {
        package var right: SIMD2<Double>
        package var left: SIMD2<Double>

        package init(right: SIMD2<Double>, left: SIMD2<Double>) {
            self.right = right
            self.left = left
        }

        package var distance: Double { ((left - right) * (left - right)).sum().squareRoot() }
    }

    package init(
        x: Double, y: Double, width: Double, height: Double, confidence: Double, eyeLine: Double,
        mouth: [MouthMotion] = [], eyes: Eyes? = nil
    ) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.confidence = confidence
        self.eyeLine = eyeLine
        self.mouth = mouth
        self.eyes = eyes
    }

    package var middleX: Double { x + width / 2 }
    package var middleY: Double { y + height / 2 }

    /// The same face in a picture that is `horizontal` times as wide and `vertical` times as high.
    package func scaled(horizontally horizontal: Double, vertically vertical: Double) -> DetectedFace {
        let scale = SIMD2(horizontal, vertical)
        return DetectedFace(
            x: x * horizontal, y: y * vertical, width: width * horizontal, height: height * vertical,
            confidence: confidence, eyeLine: eyeLine * vertical, mouth: mouth,
            eyes: eyes.map { Eyes(right: $0.right * scale, left: $0.left * scale) })
    }

    /// Intersection over union, 0 to 1.
    package func overlap(_ other: DetectedFace) -> Double {
        let shared =
            max(0, min(x + width, other.x + other.width) - max(x, other.x))
            * max(0, min(y + height, other.y + other.height) - max(y, other.y))
        let union = width * height + other.width * other.height - shared
        return union > 0 ? shared / union : 0
    }
}

/// YuNet, loaded. One picture at a time and one thread a picture: clips of a node run side by side instead, each with
/// a detector of its own (22 ms to load, a few megabytes).
@safe package struct FaceDetector: ~Copyable {
    /// What the detector takes for a face.
    package struct Limits: Hashable, Sendable {
        /// Below this YuNet also reports hands and ornaments.
        package var confidenceMin = 0.7
        /// Of two boxes that overlap by more (intersection over union), the weaker is dropped.
        package var overlapMax = 0.3
        /// Strongest first; a stadium does not get to fill memory.
        package var facesPerPictureMax = 32

        package init() {}
    }

    private let handle: OpaquePointer
    private let limits: Limits

    package init(modelPath: String, limits: Limits = Limits()) throws(MediaError) {
        precondition(limits.facesPerPictureMax > 0, "a detector that may report no face is of no use")
        var made: OpaquePointer?
        var message = Message()
        // Sound: the path and the two out-pointers live until the call returns, and the callee keeps none of them.
        let status = unsafe copencv_face_detector_create(
            modelPath, Float(limits.confidenceMin), Float(limits.overlapMax), &made, &message.bytes,
            message.bytes.count)
        guard status == copencv_ok, let made = unsafe made else { throw message.error(status) }
        unsafe handle = made
        self.limits = limits
    }

    deinit {
        // Sound: this struct is the only owner and is not copyable, so nothing uses the handle after this.
        unsafe copencv_face_detector_destroy(handle)
    }

    /// Finds the faces in a tightly packed BGR picture of 8 bits a channel, strongest first.
    ///
    /// Blocks for about 16 ms at 640 x 360: call it from `@concurrent` code.
    package func faces(in pixels: [UInt8], size: PixelSize) throws(MediaError) -> [DetectedFace] {
        let strideBytes = size.width * 3
        precondition(
            size.width > 0 && size.height > 0 && pixels.count == strideBytes * size.height,
            "\(pixels.count) bytes are not a picture of \(size.width) x \(size.height)")
        var found = [copencv_face](repeating: copencv_face(), count: limits.facesPerPictureMax)
        var count: Int32 = 0
        var message = Message()
        // Sound: all buffers live until the call returns; their sizes are checked above or passed along, and the
        // handle is alive because this method borrows its owner. The owner is not Sendable, so no other thread is in.
        let status = unsafe copencv_face_detector_detect(
            handle, pixels, Int32(size.width), Int32(size.height), strideBytes, &found, Int32(found.count), &count,
            &message.bytes, message.bytes.count)
        guard status == copencv_ok else { throw message.error(status) }
        return found.prefix(Int(count)).map(DetectedFace.init)
    }
}

extension DetectedFace {
    fileprivate init(_ face: copencv_face) {
        let (right, left) = (face.landmarks.0, face.landmarks.1)
        self.init(
            x: Double(face.x), y: Double(face.y), width: Double(face.width), height: Double(face.height),
            confidence: Double(face.score), eyeLine: Double(right.y + left.y) / 2,
            eyes: Eyes(right: SIMD2(Double(right.x), Double(right.y)), left: SIMD2(Double(left.x), Double(left.y))))
    }
}

/// Where the C side writes why it refused.
private struct Message {
    var bytes = [CChar](repeating: 0, count: 256)

    func error(_ status: copencv_status) -> MediaError {
        switch status {
        // OpenCV's own words name the path of the model, which is nobody's business outside the node.
        case copencv_model_unreadable: MediaError(.faceModelMissing, "the face model cannot be read as an ONNX network")
        case copencv_model_unexpected: MediaError(.faceModelMissing, "the face model is not a YuNet detector")
        default: MediaError(.visionFailed, text)
        }
    }

    private var text: String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
