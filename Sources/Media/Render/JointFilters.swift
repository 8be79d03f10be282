/// Cuts stretches out of picture and sound, at the same borders: those of frames.
///
/// Both count from the clip's first frame. A stretch of sound is as long as its frames are once they stand behind each
/// other, to the sample, so no rounding adds up: at 29.97 frames a second a frame is 1601.6 samples, and forty joints
/// that were each rounded by themselves could be a millisecond apart.
struct JointFilters {
    /// Leaves frames out, and lets the others follow each other.
    static func picture(_ kept: [Range<Int>], rate: FrameRate) -> [String] {
        let frames = kept.map { "between(n,\($0.lowerBound),\($0.upperBound - 1))" }.joined(separator: "+")
        return ["select='\(frames)'", "settb=\(rate.denominator)/\(rate.numerator)", "setpts=N"]
    }

    /// As one part of a chain. Every joint fades out and in again, so that no wave breaks off.
    static func sound(_ kept: [Range<Int>], rate: FrameRate, samplesPerSecond: Int, fadeSeconds: Double) -> String {
        func samples(_ frames: Int) -> Int { rate.samples(of: frames, perSecond: samplesPerSecond) }
        let fade = Int((fadeSeconds * Double(samplesPerSecond)).rounded())
        let names = kept.indices.map { "k\($0)" }
        var frame = 0
        let branches = zip(names, kept).enumerated().map { index, part in
            let (name, frames) = part
            let begin = samples(frame)
            frame += frames.count
            let length = samples(frame) - begin
            // A sample early rather than one behind the end, where nothing is.
            let from = min(samples(frames.lowerBound), samples(frames.upperBound) - length)
            var filters = ["atrim=start_sample=\(from):end_sample=\(from + length)", "asetpts=PTS-STARTPTS"]
            if index > 0 { filters.append("afade=t=in:ns=\(fade)") }
            if index + 1 < kept.count { filters.append("afade=t=out:ss=\(length - fade):ns=\(fade)") }
            // Where only the clip's start or end was cut off, there is nothing to join.
            let chain = filters.joined(separator: ",")
            return kept.count == 1 ? chain : "[\(name)]\(chain)[\(name)o]"
        }
        guard kept.count > 1 else { return branches.joined() }
        let split = "asplit=\(kept.count)" + names.map { "[\($0)]" }.joined()
        let join = names.map { "[\($0)o]" }.joined() + "concat=n=\(kept.count):v=0:a=1"
        return ([split] + branches + [join]).joined(separator: ";")
    }
}
