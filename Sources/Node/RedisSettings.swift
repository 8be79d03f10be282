import RedisLimits

/// The part of the configuration that says in which Redis limits are counted.
package struct RedisSettings: Sendable {
    /// Nil: the cluster counts them itself.
    let redis: RedisConfiguration?

    init(_ values: ConfigurationValues) throws(ConfigurationError) {
        let text = values.text("limits.redis.url")
        guard !text.isEmpty else {
            redis = nil
            return
        }
        // Not shown: it may hold a password.
        guard let address = RedisAddress(text) else {
            throw ConfigurationError([
                "limits.redis.url must be redis://[user:password@]host[:port][/database], rediss://... for TLS, or "
                    + "unix://[user:password@]/path, with special characters of user and password as %XX"
            ])
        }
        let answer = values.integer("limits.redis.answerMilliseconds")
        let connect = values.integer("limits.redis.connectMilliseconds")
        guard answer <= connect else {
            throw ConfigurationError([
                "limits.redis.connectMilliseconds must not be less than limits.redis.answerMilliseconds"
            ])
        }
        let authorities = values.text("limits.redis.authorities")
        redis = RedisConfiguration(
            address: address, prefix: "tijera:\(values.text("cluster.name"))", patience: .milliseconds(answer),
            connectPatience: .milliseconds(connect), authoritiesPath: authorities.isEmpty ? nil : authorities)
    }
}
