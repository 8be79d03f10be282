import Foundation
import Testing

/// An import goes strictly to a lower band (docs/ARCHITECTURE.md). The build refuses imports that are not declared;
/// this test refuses declarations that go up or sideways.
@Suite struct BandTests {
    static let bandZero = ["CLibpq", "CCurl", "COpenCV", "CWhisper", "CZlib"]

    /// Module -> (band, the modules of the house that it declares).
    static func modules() throws -> [String: (band: Int, dependencies: [String])] {
        let text = try String(contentsOf: House.root.appending(path: "Package.swift"), encoding: .utf8)
        var bands: [String: Int] = [:], bodies: [String: String] = [:]
        let pattern = /module\(\s*"(\w+)",\s*band:\s*(\d+),\s*\[([^\]]*)\]/
        for match in text.matches(of: pattern) {
            bands[String(match.1)] = Int(match.2)
            bodies[String(match.1)] = String(match.3)
        }
        for name in bandZero { bands[name] = 0 }
        return bands.reduce(into: [:]) { modules, entry in
            let named = (bodies[entry.key] ?? "").matches(of: /"(\w+)"/).map { String($0.1) }
            modules[entry.key] = (entry.value, named.filter { bands[$0] != nil })
        }
    }

    @Test func `every dependency is in a lower band`() throws {
        let modules = try Self.modules()
        try #require(modules.count > 10)
        for (name, module) in modules {
            for dependency in module.dependencies {
                let below = try #require(modules[dependency]?.band)
                #expect(below < module.band, "\(name) (band \(module.band)) imports \(dependency) (band \(below))")
            }
        }
    }

    @Test func `every folder of the sources is a module in a band`() throws {
        let modules = try Self.modules()
        let folders = try FileManager.default.contentsOfDirectory(atPath: House.root.appending(path: "Sources").path)
        for folder in folders where folder != "tijera" && !folder.hasPrefix(".") {
            #expect(modules[folder] != nil, "Sources/\(folder) is in no band")
        }
    }

    @Test func `the architecture page names every module`() throws {
        let page = try String(contentsOf: House.root.appending(path: "docs/ARCHITECTURE.md"), encoding: .utf8)
        for name in try Self.modules().keys {
            #expect(page.contains("`\(name)`"), "\(name) is not in docs/ARCHITECTURE.md")
        }
    }

    @Test func `only the composition root imports the adapters`() throws {
        for file in try House.files(under: "Sources", ending: ".swift") where !["Node", "tijera"].contains(file.module)
        {
            #expect(!file.text.contains("import PostgresStore") || file.module == "PostgresStore", "\(file.path)")
        }
    }
}
