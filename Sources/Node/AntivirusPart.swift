import Antivirus
import ClipModel
import HTTPGateway
import Logging
import Stages
import Store

/// The node's virus scanner: the gate that uploads pass, and the watch over the daemon behind it.
struct AntivirusPart: Sendable {
    let gate: UploadGate
    let watch: ClamdWatch

    /// Nil when there is none; says so, because uploads then go to decoders as they are.
    init?(
        _ settings: AntivirusSettings, book: any QuarantineBook, node: NodeID, clock: any Clock<Duration>,
        logger: Logger
    ) {
        guard let configuration = settings.clamd else {
            logger.notice("uploads are not scanned for malware: antivirus.clamd is empty")
            return nil
        }
        logger.notice(
            "uploads are scanned for malware",
            metadata: [
                "antivirus.clamd": "\(configuration.address)", "antivirus.whenAway": "\(settings.whenAway.rawValue)",
                "antivirus.large": "\(settings.whenLarge.rawValue)",
            ])
        let clamd = Clamd(configuration, clock: clock)
        watch = ClamdWatch(clamd, clock: clock, logger: logger)
        gate = UploadGate(
            clamd: clamd, book: book, node: node, whenAway: settings.whenAway, whenLarge: settings.whenLarge,
            onFound: { entry in
                logger.warning(
                    "malware found in an upload, which was put away",
                    metadata: [
                        "job": "\(entry.job)", "upload": "\(entry.upload)", "tenant": "\(entry.tenant)",
                        "antivirus.signature": "\(entry.signature)", "upload.sha256": "\(entry.sha256)",
                    ])
            })
    }

    var report: DefenceReport.Antivirus {
        switch watch.state {
        case .unknown, .answers: .on
        case .away: gate.isClosedWhenAway ? .awayJobsWait : .awayJobsGoOn
        }
    }
}
