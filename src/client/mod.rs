//! The client side: the only room that names rumqttc.
