import Stages

/// The part of the configuration that says which language model orders moments.
enum RerankSettings {
    /// Nil: none does.
    static func read(_ values: ConfigurationValues) throws(ConfigurationError) -> Reranker.Configuration? {
        let url = values.text("rerank.url"), model = values.text("rerank.model")
        guard !url.isEmpty else { return nil }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw ConfigurationError(["rerank.url must be an address with http or https, is \"\(url)\""])
        }
        guard !model.isEmpty else { throw ConfigurationError(["rerank.model must be set where rerank.url is"]) }
        return Reranker.Configuration(
            url: url, model: model, key: values.text("rerank.key"), secondsMax: values.integer("rerank.seconds"))
    }
}
