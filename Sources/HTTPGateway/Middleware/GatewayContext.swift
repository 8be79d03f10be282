package import Hummingbird
package import NIOCore

/// What travels with a request through the middleware to its route.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Names this request in the answer and in the logs.
    package var requestID = ""
    package let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// Who asks: the other end of the connection, or whom a proxy that we trust names. Never what `X-Forwarded-For`
    /// claims otherwise: anybody can write that.
    package var clientAddress = "local"
    /// Whose registered key the request carries, as `key:acme`; nil: it carries none, and its address is the client.
    package var client: String?
}
