import ClipModel
import Foundation
import Jobs
import Synchronization

/// One line that says how far it is: redrawn on a terminal, a new line every tenth of the way elsewhere.
final class ProgressDisplay: Sendable {
    private struct State {
        var lastTenth = -1
        var lastTitle = ""
    }

    private let isQuiet: Bool
    private let isInteractive: Bool
    private let state = Mutex(State())

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        isInteractive = Terminal.isInteractive
    }

    func show(_ title: String, fraction: Double, detail: String = "") {
        guard !isQuiet else { return }
        let percent = Int((fraction * 100).rounded(.down))
        let line =
            "  \(title.padding(toLength: 11, withPad: " ", startingAt: 0)) "
            + "\(Terminal.bar(fraction)) \(percent) %  \(detail)"
        state.withLock { state in
            if isInteractive {
                if state.lastTitle != title, !state.lastTitle.isEmpty { Terminal.endLine() }
                Terminal.redraw(line)
            } else if state.lastTitle != title || percent / 10 != state.lastTenth {
                Terminal.complain(line)
            }
            state.lastTitle = title
            state.lastTenth = percent / 10
        }
    }

    /// Says something between two states of the line.
    func remark(_ text: String) {
        guard !isQuiet else { return }
        if isInteractive { Terminal.endLine() }
        Terminal.complain("  " + text)
    }

    func finish() {
        if !isQuiet, isInteractive { Terminal.endLine() }
    }

    func show(_ job: JobView) {
        var parts: [String] = []
        if let position = job.queuePosition, position > 0 { parts.append("\(position) before it") }
        let running = job.stages.filter { $0.state == .running }
        if !running.isEmpty {
            let names = Dictionary(grouping: running, by: \.name).sorted { $0.key < $1.key }.map { name, stages in
                "\(name.rawValue)\(stages.count > 1 ? " x\(stages.count)" : "")"
                    + " on \(Set(stages.compactMap { $0.node?.rawValue }).sorted().joined(separator: ", "))"
            }
            parts.append(names.joined(separator: "; "))
        }
        if let eta = job.etaSeconds { parts.append("\(Terminal.duration(eta)) left") }
        show("Clipping", fraction: job.progress / 100, detail: parts.joined(separator: "  "))
    }
}
