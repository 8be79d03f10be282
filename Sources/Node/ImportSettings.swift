import HTTPClient
import HTTPGateway

/// The part of the configuration that says what may be fetched from addresses.
enum ImportSettings {
    /// Nil: nothing may.
    static func read(_ values: ConfigurationValues) throws(ConfigurationError) -> ImportConfiguration? {
        var networks: [NetworkRange] = []
        for text in words(values.text("import.privateNetworks")) {
            guard let network = NetworkRange(text) else {
                throw ConfigurationError(["import.privateNetworks: \"\(text)\" is no network like 10.1.0.0/16"])
            }
            networks.append(network)
        }
        var ports: Set<Int> = []
        for text in words(values.text("import.ports")) {
            guard let port = Int(text), (1...65_535).contains(port) else {
                throw ConfigurationError(["import.ports: \"\(text)\" is no port"])
            }
            ports.insert(port)
        }
        guard values.text("import.enabled") == "on" else { return nil }
        return ImportConfiguration(
            addresses: AddressGuard(allowed: networks), ports: ports,
            redirectsMax: values.integer("import.redirectsMax"), secondsMax: values.integer("import.seconds"),
            bytesPerSecondMin: values.integer("import.bytesPerSecondMin"),
            concurrentMax: values.integer("import.concurrentMax"))
    }

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
    }
}
