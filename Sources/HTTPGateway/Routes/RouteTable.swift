package import HTTPTypes

/// Which methods an address answers to: tells 405 from 404, and names the routes for logs.
///
/// The router behind it only says "found" or "not found"; this table is filled from the same calls that fill it.
package struct RouteTable: Sendable {
    private var methods: [String: Set<String>] = [:]
    private var ownOptions: Set<String> = []
    private var templates: [[Substring]] = []

    package init() {}

    /// - Parameter template: `/api/jobs/{id}`.
    package mutating func add(_ method: HTTPRequest.Method, _ template: String) {
        if methods[template] == nil { templates.append(Self.segments(template)) }
        // `OPTIONS` is answered for every address, from this table unless a route does.
        methods[template, default: [HTTPRequest.Method.options.rawValue]].insert(method.rawValue)
        if method == .get { methods[template, default: []].insert(HTTPRequest.Method.head.rawValue) }
        if method == .options { ownOptions.insert(template) }
    }

    /// The methods of the template that `path` fits, sorted; empty when there is none.
    package func allowedMethods(for path: String) -> [String] {
        // More than one may fit (`/a/{x}` and `/a/b`): the address answers to the methods of all of them.
        Set(fitting(path).flatMap { methods[$0] ?? [] }).sorted()
    }

    /// Whether a route of its own answers `OPTIONS` here.
    package func answersOptions(_ path: String) -> Bool { fitting(path).contains { ownOptions.contains($0) } }

    private func fitting(_ path: String) -> [String] {
        let segments = Self.segments(path)
        return templates.filter { template in
            template.count == segments.count
                && zip(template, segments).allSatisfy { $0.hasPrefix("{") ? !$1.isEmpty : $0 == $1 }
        }.map { "/" + $0.joined(separator: "/") }
    }

    private static func segments(_ path: String) -> [Substring] { path.split(separator: "/") }
}
