import Antivirus
import Stages

/// The part of the configuration that says how uploads are scanned for malware.
package struct AntivirusSettings: Sendable {
    /// Nil: they are not.
    let clamd: ClamdConfiguration?
    let whenAway: UploadGate.WhenAway
    let whenLarge: UploadGate.WhenLarge
    let quarantineDays: Int

    init(_ values: ConfigurationValues) throws(ConfigurationError) {
        whenAway = UploadGate.WhenAway(rawValue: values.text("antivirus.whenAway")) ?? .closed
        whenLarge = UploadGate.WhenLarge(rawValue: values.text("antivirus.large")) ?? .pieces
        quarantineDays = values.integer("antivirus.quarantineDays")
        let text = values.text("antivirus.clamd")
        guard !text.isEmpty else {
            clamd = nil
            return
        }
        guard let address = ClamdAddress(text) else {
            throw ConfigurationError([
                "antivirus.clamd must be the path of a socket or host:port, is \"\(text)\""
            ])
        }
        clamd = ClamdConfiguration(
            address: address, connectionsMax: values.integer("antivirus.connectionsMax"),
            connectSecondsMax: values.integer("antivirus.connectSeconds"),
            answerSecondsMax: values.integer("antivirus.answerSeconds"),
            streamBytesMax: Int64(values.integer("antivirus.streamBytesMax")))
    }
}
