import ClipModel
import Foundation
import HTTPGateway
import Jobs

/// What the commands about jobs print.
enum JobsText {
    static func page(_ page: OperatorJobPage) -> String {
        var table = TextTable(["JOB", "STATUS", "CLIENT", "REGION", "CREATED", "TOOK", "ERROR"])
        for job in page.jobs {
            table.add([
                job.id.rawValue, job.status.rawValue, job.tenant, job.region.rawValue, job.createdAt.rawValue,
                job.tookSeconds.map { Terminal.duration($0) } ?? "-", job.error.map(brief) ?? "-",
            ])
        }
        return list(table, page, empty: "no job")
    }

    static func deadLetters(_ page: OperatorJobPage) -> String {
        var table = TextTable(["JOB", "CLIENT", "ENDED", "LOST", "STAGE", "CODE", "CLASS", "REASON"])
        func add(_ job: OperatorJob, _ lost: String, _ error: JobView.ErrorView?, _ failureClass: Failure.Class?) {
            table.add([
                job.id.rawValue, job.tenant, job.endedAt?.rawValue ?? "-", lost, error?.stage ?? "-",
                error?.code ?? "-", failureClass?.rawValue ?? "-", error?.reason ?? "-",
            ])
        }
        for job in page.jobs {
            guard let missing = job.missingClips else {
                add(job, "job", job.error, job.failureClass)
                continue
            }
            for clip in missing { add(job, named(clip.ordinal), clip.error, clip.failureClass) }
        }
        return list(table, page, empty: "no dead letter")
    }

    private static func list(_ table: TextTable, _ page: OperatorJobPage, empty: String) -> String {
        guard !page.jobs.isEmpty else { return empty }
        return table.rendered + (page.nextCursor.map { "\nmore with --cursor \($0)" } ?? "")
    }

    /// Counted as people do, like the notes of a job.
    private static func named(_ ordinal: Int) -> String { "clip \(ordinal + 1)" }

    static func requeued(_ outcome: JobService.Requeued) -> String {
        let verb = outcome.isRehearsal ? "would begin again" : "begin again"
        var lines = ["\(outcome.jobs.count) jobs \(verb)"]
        lines += outcome.jobs.map { job in
            let clips = (outcome.clips ?? []).filter { $0.job == job }.map { named($0.ordinal) }
            return "  \(job)" + (clips.isEmpty ? "" : ": \(clips.joined(separator: ", "))")
        }
        if !outcome.skipped.isEmpty { lines.append("\(outcome.skipped.count) could not:") }
        lines += outcome.skipped.map { "  \($0)" }
        if outcome.hasMore { lines.append("there are more; repeat it, or raise --limit") }
        return lines.joined(separator: "\n")
    }

    static func explanation(_ explanation: JobExplanation) -> String {
        let whole = explanation.reason
        var lines = [
            "\(explanation.job) is \(explanation.status.rawValue): \(whole.code.rawValue)",
            "  \(whole.stage.map { "\($0): " } ?? "")\(whole.text)", "  \(explanation.hint)",
        ]
        if !explanation.stages.isEmpty {
            var table = TextTable(["STAGE", "CODE", "AHEAD", "NODE", "WHY"])
            for reason in explanation.stages {
                table.add([
                    reason.stage ?? "-", reason.code.rawValue, reason.ahead.map { "\($0)" } ?? "-", reason.node ?? "-",
                    reason.text,
                ])
            }
            lines += ["", table.rendered]
        }
        return lines.joined(separator: "\n")
    }

    static func detail(_ detail: OperatorJobDetail) -> String {
        let job = detail.job
        var lines = [
            "\(job.id) is \(job.status.rawValue), \(Int(job.progress)) % done",
            "of \(detail.tenant), at home in \(job.region)",
            "created \(job.createdAt)\(job.startedAt.map { ", begun \($0)" } ?? "")"
                + "\(job.endedAt.map { ", ended \($0)" } ?? "")"
                + "\(job.tookSeconds.map { ", took \(Terminal.duration($0))" } ?? "")",
        ]
        if let error = job.error { lines += ["\(brief(error)): \(error.reason) \(error.hint)"] }
        lines += ["", waterfall(detail.waterfall)]
        return lines.joined(separator: "\n")
    }

    static func waterfall(_ waterfall: JobWaterfall) -> String {
        var table = TextTable([
            "STAGE", "ATTEMPT", "OUTCOME", "NODE", "STARTED", "QUEUED", "RAN", "CPU", "READ", "WROTE", "MEMORY",
            "RESULT", "ERROR",
        ])
        for stage in waterfall.stages {
            let name = StageKey(stage.name, stage.index).description
            for (number, attempt) in stage.attempts.enumerated() {
                let isLast = number == stage.attempts.count - 1
                table.add([
                    number == 0 ? name : "", "\(number + 1)",
                    attempt.outcome.rawValue + (isLast && stage.reused ? " (reused)" : ""),
                    attempt.node?.rawValue ?? "-", attempt.startedAt?.rawValue ?? "-",
                    attempt.queueSeconds.map(seconds) ?? "-", attempt.runSeconds.map(seconds) ?? "-",
                    attempt.cpuSeconds.map(seconds) ?? "-", attempt.bytesRead.map { Terminal.size($0) } ?? "-",
                    attempt.bytesWritten.map { Terminal.size($0) } ?? "-",
                    attempt.memoryPeakBytes.map { Terminal.size($0) } ?? "-",
                    isLast ? stage.bytes.map { Terminal.size($0) } ?? "-" : "-", attempt.error?.code ?? "-",
                ])
            }
        }
        let note = waterfall.isComplete ? "" : "\n(earlier attempts may be missing)"
        return table.rendered + "\n" + sum(of: waterfall.stages.flatMap(\.attempts)) + note
    }

    /// Of all attempts together; those that are not known are told, so that nobody takes the rest for the whole.
    private static func sum(of attempts: [JobWaterfall.Attempt]) -> String {
        let known = attempts.filter { $0.cpuSeconds != nil }
        let unknown = attempts.count { $0.cpuSeconds == nil && $0.endedAt != nil }
        let spent = known.reduce(0) { $0 + ($1.cpuSeconds ?? 0) }
        let (read, wrote) = (known.compactMap(\.bytesRead).reduce(0, +), known.compactMap(\.bytesWritten).reduce(0, +))
        let rest = unknown == 0 ? "" : ", without \(unknown) attempts that nobody could measure"
        return "together \(seconds(spent)) of CPU, \(Terminal.size(read)) read, \(Terminal.size(wrote)) written\(rest)"
    }

    private static func brief(_ error: JobView.ErrorView) -> String {
        error.stage.map { "\(error.code) in \($0)" } ?? error.code
    }

    private static func seconds(_ value: Double) -> String { String(format: "%.3f s", locale: nil, value) }
}
