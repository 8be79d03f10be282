/// What the speech workers of a node may use.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `childrenMax` | processes | 1 | more recognisers than processors; each holds a model in memory |
/// | `childMemoryBytesMax` | bytes of address space | 4 GiB, more for large models | a leak takes the machine down |
/// | `queueMax` | requests | 64 | callers pile up behind a model that cannot load |
/// | `startSecondsMax` | seconds | 60 | a model on a dead disk |
/// | `silentSecondsMax` | seconds | 120 | a recogniser that hangs holds its stage for ever |
/// | `cancelSecondsMax` | seconds | 0.6 | cancelled work goes on until the encoder is through |
/// | `idleSecondsMax` | seconds | 120 | an idle node keeps half a gigabyte |
/// | `closeSecondsMax` | seconds | 3 | a worker that does not go when asked |
/// | `requestsPerChildMax` | requests | 200 | a slow leak in C |
/// | `startsMax` | failures in a row | 3 | waiting for a worker that will never start |
/// | `backOffSecondsMin`, `backOffSecondsMax` | seconds | 0.5, 15 | a crash loop at full speed |
/// | `lossesMax` | lost workers per request | 2 | one poisoned chunk kills workers for ever |
/// | `frameBytesMax` | bytes | 4 MiB | a broken worker fills the node's memory |
package struct SpeechConfiguration: Sendable, Hashable {
    package var executablePath: String
    /// Before `--model PATH`.
    package var leadingArguments: [String]
    package var modelPath: String
    package var childrenMax: Int
    package var childMemoryBytesMax: Int
    package var queueMax = 64
    package var startSecondsMax = 60.0
    /// Without a sign of life during a request. One pass of a large model's encoder on a slow machine is silent.
    package var silentSecondsMax = 120.0
    package var cancelSecondsMax = 0.6
    package var idleSecondsMax = 120.0
    package var closeSecondsMax = 3.0
    package var requestsPerChildMax = 200
    package var startsMax = 3
    package var backOffSecondsMin = 0.5
    package var backOffSecondsMax = 15.0
    package var lossesMax = 2
    package var frameBytesMax = SpeechFrame.bytesMaxDefault

    package init(
        executablePath: String, leadingArguments: [String] = ["speech-worker"], modelPath: String,
        childrenMax: Int = 1, childMemoryBytesMax: Int = 4 << 30
    ) {
        precondition(childrenMax > 0, "childrenMax is \(childrenMax)")
        precondition(childMemoryBytesMax > 0, "childMemoryBytesMax is \(childMemoryBytesMax)")
        self.executablePath = executablePath
        self.leadingArguments = leadingArguments
        self.modelPath = modelPath
        self.childrenMax = childrenMax
        self.childMemoryBytesMax = childMemoryBytesMax
    }

    package init(_ media: MediaConfiguration, childrenMax: Int) {
        self.init(
            executablePath: media.speechWorkerPath, modelPath: media.whisperModelPath, childrenMax: childrenMax,
            childMemoryBytesMax: media.childMemoryBytesMax)
    }
}
