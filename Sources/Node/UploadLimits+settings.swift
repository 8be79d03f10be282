import Uploads

extension UploadLimits {
    /// The bounds that operators may move; `bytesMax` is `http.uploadBytesMax`, which all uploads share.
    init(_ values: ConfigurationValues) {
        self.init(
            bytesMax: Int64(values.integer("http.uploadBytesMax")),
            partBytes: Int64(values.integer("uploads.partBytes")), partsMax: values.integer("uploads.partsMax"),
            sessionsMax: values.integer("uploads.sessionsMax"),
            clientBytesMax: Int64(values.integer("uploads.clientBytesMax")),
            keepSeconds: values.integer("uploads.keepSeconds"),
            takeoverSeconds: Double(values.integer("uploads.takeoverMilliseconds")) / 1000)
    }
}
